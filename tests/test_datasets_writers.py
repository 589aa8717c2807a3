"""Dataset, and what is written from it: clipped boxes, YOLO folders, COCO documents."""

import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools.coco import COCO

from common.contract import AnnotationFormat
from common.datasets.clip import clip_boxes
from common.datasets.coco_writer import to_coco, write_coco
from common.datasets.dataset import Dataset, read_dataset
from common.datasets.index import read_training_index
from common.datasets.yolo_writer import write_yolo, write_yolo_yaml

Boxes = list[tuple[float, float, float, float]]


def dataset_of(*boxes_per_image: Boxes, names: tuple[str, ...] = ("dog", "猫")) -> Dataset:
    """One object a box; the class is the parity of its position."""
    counts = [len(boxes) for boxes in boxes_per_image]
    boxes = np.array([box for boxes in boxes_per_image for box in boxes], np.float32).reshape(-1, 4)
    n = sum(counts)
    return Dataset(
        images=tuple(Path(f"/in/assets/图 {i}") for i in range(len(counts))),
        class_names=names,
        image_index=np.repeat(np.arange(len(counts)), counts),
        classes=np.arange(n) % 2,
        boxes=boxes,
        angles=np.linspace(0, 1, n, dtype=np.float32),
        quality=np.full(n, -1, np.float32),
    )


def sizes_of(dataset: Dataset, width: int = 100, height: int = 50) -> NDArray[np.int64]:
    return np.tile(np.array([[width, height]]), (len(dataset.images), 1))


THREE = dataset_of([(0, 0, 10, 10), (5, 5, 20, 25)], [], [(90, 40, 100, 50)])


# Dataset


def test_the_rows_of_an_image_are_a_slice() -> None:
    assert [THREE.of_image(i) for i in range(3)] == [slice(0, 2), slice(2, 2), slice(2, 3)]


@pytest.mark.parametrize(
    ("keep", "image_index", "left"),
    [
        ([], [], []),  # nothing
        ([1], [], []),  # an image without objects
        ([2, 0], [0, 1, 1], [90, 0, 5]),  # another order
        ([0, 1, 2], [0, 0, 2], [0, 5, 90]),  # everything
        ([2, 2], [0, 1], [90, 90]),  # twice
    ],
)
def test_a_subset_has_the_images_asked_for_in_that_order(
    keep: list[int], image_index: list[int], left: list[int]
) -> None:
    part = THREE.subset(keep)
    assert part.images == tuple(THREE.images[i] for i in keep)
    assert (part.image_index.tolist(), part.boxes[:, 0].tolist()) == (image_index, left)
    assert len(part.classes) == len(part.angles) == len(part.quality) == len(left)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"boxes": np.zeros((3, 5), np.float32)}, r"boxes: expected shape \(3, 4\), got \(3, 5\)"),  # rotated boxes
        ({"classes": np.zeros(2, np.int64)}, r"classes: expected shape \(3,\), got \(2,\)"),  # a class less
        ({"image_index": np.array([0, 2, 1])}, "ascending"),  # objects not in the order of the images
    ],
)
def test_columns_that_do_not_fit_are_refused(change: dict[str, Any], words: str) -> None:
    columns = {name: getattr(THREE, name) for name in ("image_index", "classes", "boxes", "angles", "quality")}
    with pytest.raises(ValueError, match=words):
        Dataset(THREE.images, THREE.class_names, **{**columns, **change})


# clipping


@pytest.mark.parametrize(
    ("box", "clipped"),
    [
        ((10, 10, 20, 20), [[10, 10, 20, 20]]),  # inside
        ((-5, -6, 20, 20), [[0, 0, 20, 20]]),  # over the top left corner
        ((90, 40, 130, 77), [[90, 40, 100, 50]]),  # over the bottom right corner
        ((-9, -9, 999, 999), [[0, 0, 100, 50]]),  # larger than the image
        ((99, 49, 100, 50), [[99, 49, 100, 50]]),  # the last pixel
        ((100, 10, 110, 20), []),  # beside the image
        ((-10, 10, 0, 20), []),  # beside the image, on the left
        ((10, 60, 20, 70), []),  # below the image
    ],
)
def test_boxes_are_clipped_to_the_image_or_dropped(box: tuple[float, ...], clipped: list[list[float]]) -> None:
    dataset = dataset_of([], [(*box,)])  # type: ignore[list-item]
    result = clip_boxes(dataset, np.array([[1, 1], [100, 50]]))
    assert result.boxes.tolist() == clipped
    assert result.image_index.tolist() == [1] * len(clipped)
    assert result.images == dataset.images
    assert result.boxes.dtype == np.float32


# YOLO


def image_files(folder: Path, count: int, suffix: str = ".JPG") -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = [folder / f"图 片 {i}{suffix}" for i in range(count)]
    for file in files:
        file.write_bytes(file.name.encode())
    return files


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_yolo_split_has_a_link_and_a_label_file_for_every_image(tmp_path: Path) -> None:
    files = image_files(tmp_path / "原图", 3)
    folder = write_yolo(THREE, sizes_of(THREE), files, tmp_path / "yolo", "train")
    assert folder == tmp_path / "yolo" / "images" / "train"
    assert [path.readlink() for path in sorted(folder.iterdir())] == files
    assert tree(tmp_path / "yolo") == {
        "images/train/000000.JPG": "图 片 0.JPG".encode(),
        "images/train/000001.JPG": "图 片 1.JPG".encode(),
        "images/train/000002.JPG": "图 片 2.JPG".encode(),
        "labels/train/000000.txt": b"0 0.050000000 0.100000000 0.100000000 0.200000000\n"
        b"1 0.125000000 0.300000000 0.150000000 0.400000000\n",
        "labels/train/000001.txt": b"",
        "labels/train/000002.txt": b"0 0.950000000 0.900000000 0.100000000 0.200000000\n",
    }


def test_yolo_labels_are_clipped_and_what_is_outside_is_dropped(tmp_path: Path) -> None:
    dataset = dataset_of([(-10, 0, 10, 10), (200, 0, 210, 10)])
    write_yolo(dataset, sizes_of(dataset), image_files(tmp_path / "in", 1), tmp_path, "val")
    label = (tmp_path / "labels" / "val" / "000000.txt").read_text(encoding="utf-8")
    assert label == "0 0.050000000 0.100000000 0.100000000 0.200000000\n"


def test_writing_yolo_twice_is_writing_it_once(tmp_path: Path) -> None:
    files = image_files(tmp_path / "in", 3)
    write_yolo(THREE, sizes_of(THREE), files, tmp_path / "yolo", "train")
    once = tree(tmp_path / "yolo")
    write_yolo(THREE, sizes_of(THREE), files, tmp_path / "yolo", "train")
    assert tree(tmp_path / "yolo") == once


def test_labels_that_are_right_are_left_alone_and_a_torn_one_is_mended(tmp_path: Path) -> None:
    files = image_files(tmp_path / "in", 3)
    write_yolo(THREE, sizes_of(THREE), files, tmp_path / "yolo", "train")
    once = tree(tmp_path / "yolo")
    labels = tmp_path / "yolo" / "labels" / "train"
    (labels / "000000.txt").write_bytes(once["labels/train/000000.txt"][:20])
    for name in ("000001.txt", "000002.txt"):
        os.utime(labels / name, (1, 1))
    write_yolo(THREE, sizes_of(THREE), files, tmp_path / "yolo", "train")
    assert tree(tmp_path / "yolo") == once
    assert [(labels / name).stat().st_mtime for name in ("000001.txt", "000002.txt")] == [1, 1]


def test_writing_yolo_again_leaves_nothing_of_another_data_set(tmp_path: Path) -> None:
    older = [*image_files(tmp_path / "in", 3, ".png")[:2], image_files(tmp_path / "in", 3)[2]]
    newer = image_files(tmp_path / "in", 2)
    write_yolo(THREE, sizes_of(THREE), older, tmp_path / "yolo", "train")
    write_yolo(THREE.subset([2, 2]), sizes_of(THREE)[:2], newer, tmp_path / "expected", "train")
    (tmp_path / "yolo" / "labels" / "train.cache").write_bytes(b"labels of another time")
    folder = write_yolo(THREE.subset([2, 2]), sizes_of(THREE)[:2], newer, tmp_path / "yolo", "train")
    assert tree(tmp_path / "yolo") == tree(tmp_path / "expected")
    assert [path.readlink() for path in sorted(folder.iterdir())] == newer


def test_a_link_to_another_image_is_renewed(tmp_path: Path) -> None:
    first, second = (image_files(tmp_path / name, 3) for name in ("a", "b"))
    write_yolo(THREE, sizes_of(THREE), first, tmp_path / "yolo", "train")
    folder = write_yolo(THREE, sizes_of(THREE), second, tmp_path / "yolo", "train")
    assert [path.readlink() for path in sorted(folder.iterdir())] == second


def test_splits_do_not_disturb_each_other(tmp_path: Path) -> None:
    files = image_files(tmp_path / "in", 3)
    folders = [write_yolo(THREE, sizes_of(THREE), files, tmp_path / "yolo", split) for split in ("train", "val")]
    assert [len(list(folder.iterdir())) for folder in folders] == [3, 3]


@pytest.mark.parametrize("count", [2, 4])  # a file less than images; a file more
def test_an_image_file_for_every_image_is_needed(tmp_path: Path, count: int) -> None:
    files = image_files(tmp_path / "in", count)
    with pytest.raises(ValueError, match="zip"):
        write_yolo(THREE, sizes_of(THREE), files, tmp_path / "yolo", "train")


def test_the_yolo_yaml_names_absolute_folders_and_classes_of_any_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["yes", "1", "traffic light", "猫", "a: #b"]
    for _ in range(2):
        file = write_yolo_yaml(Path("yolo"), names, Path("yolo/images/train"), tmp_path / "val 图")
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert "猫" in text
    assert yaml.safe_load(text) == {
        "path": str(tmp_path / "yolo"),
        "train": str(tmp_path / "yolo" / "images" / "train"),
        "val": str(tmp_path / "val 图"),
        "names": dict(enumerate(names)),
    }


# COCO


def test_a_coco_document_has_images_categories_and_clipped_boxes() -> None:
    dataset = dataset_of([], [(-10, 0, 10, 10), (200, 0, 210, 10), (1, 2, 4, 6)])
    assert to_coco(dataset, sizes_of(dataset), ["a 图.jpg", "b"]) == {
        "images": [
            {"id": 1, "file_name": "a 图.jpg", "width": 100, "height": 50},
            {"id": 2, "file_name": "b", "width": 100, "height": 50},
        ],
        "annotations": [
            {"id": 1, "image_id": 2, "category_id": 0, "bbox": [0, 0, 10, 10], "area": 100, "iscrowd": 0},
            {"id": 2, "image_id": 2, "category_id": 0, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0},
        ],
        "categories": [{"id": 0, "name": "dog"}, {"id": 1, "name": "猫"}],
    }


def test_pycocotools_reads_the_written_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        write_coco(to_coco(THREE, sizes_of(THREE), ["a", "b", "c"]), tmp_path / "coco.json")
    coco = COCO(str(tmp_path / "coco.json"))
    assert (len(coco.getImgIds()), len(coco.getAnnIds(imgIds=[1])), coco.getCatIds()) == (3, 2, [0, 1])
    assert [path.name for path in tmp_path.iterdir()] == ["coco.json"]
    assert "index created" in capsys.readouterr().out


# From the platform's text to the frameworks' formats and back

corner = st.integers(-30, 700)
side = st.integers(1, 400)
ark_object = st.tuples(st.integers(0, 2), corner, corner, side, side)
ark_images = st.lists(st.lists(ark_object, max_size=6), min_size=1, max_size=5)
image_size = st.tuples(st.integers(1, 640), st.integers(1, 640))


def read_ark(folder: Path, images: list[list[tuple[int, int, int, int, int]]]) -> Dataset:
    lines = []
    for i, objects in enumerate(images):
        text = "".join(f"{c}, {x}, {y}, {x + w - 1}, {y + h - 1}, -1.0, 0.0\n" for c, x, y, w, h in objects)
        (folder / f"{i}.txt").write_text(text, encoding="utf-8")
        lines.append(f"/in/{i}.jpg\t{folder / f'{i}.txt'}\n")
    (folder / "index.tsv").write_text("".join(lines), encoding="utf-8")
    return read_dataset(read_training_index(folder / "index.tsv"), AnnotationFormat.ARK, ["a", "b", "c"])


def visible(objects: list[tuple[int, int, int, int, int]], width: int, height: int) -> list[list[float]]:
    """Class, x, y, w, h of the part of each object that lies in the image, by the definition."""
    result = []
    for index, x, y, w, h in objects:
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
        if left < right and top < bottom:
            result.append([float(index), left, top, right - left, bottom - top])
    return result


@settings(max_examples=25)
@given(images=ark_images)
def test_the_width_of_an_ark_box_survives_the_inclusive_corner(
    images: list[list[tuple[int, int, int, int, int]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        dataset = read_ark(Path(name), images)
    objects = [entry for objects in images for entry in objects]
    low, high = dataset.boxes[:, :2], dataset.boxes[:, 2:]
    assert np.hstack([low, high - low]).tolist() == [[x, y, w, h] for _, x, y, w, h in objects]
    assert dataset.classes.tolist() == [entry[0] for entry in objects]


@settings(max_examples=25)
@given(images=ark_images, size=image_size)
def test_yolo_labels_give_back_the_visible_part_of_each_ark_box(
    images: list[list[tuple[int, int, int, int, int]]], size: tuple[int, int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = read_ark(folder, images)
        write_yolo(dataset, sizes_of(dataset, *size), list(dataset.images), folder, "train")
        for i, objects in enumerate(images):
            text = (folder / "labels" / "train" / f"{i:06d}.txt").read_text(encoding="utf-8")
            rows = np.array([line.split() for line in text.splitlines()], np.float64).reshape(-1, 5)
            assert ((rows[:, 1:] >= 0) & (rows[:, 1:] <= 1)).all()
            centres, extents = rows[:, 1:3] * size, rows[:, 3:] * size
            found = np.hstack([rows[:, :1], centres - extents / 2, extents])
            assert found == pytest.approx(np.array(visible(objects, *size)).reshape(-1, 5), abs=1e-5)


@settings(max_examples=25)
@given(images=ark_images, size=image_size)
def test_a_coco_document_read_back_is_the_clipped_data_set(
    images: list[list[tuple[int, int, int, int, int]]], size: tuple[int, int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = read_ark(folder, images)
        sizes = sizes_of(dataset, *size)
        document = to_coco(dataset, sizes, [path.name for path in dataset.images])
        write_coco(document, folder / "coco.json")
        index = folder / "coco.tsv"
        index.write_text("".join(f"{path}\t{folder / 'coco.json'}\n" for path in dataset.images), encoding="utf-8")
        again = read_dataset(read_training_index(index), AnnotationFormat.COCO, dataset.class_names)
    expected = clip_boxes(dataset, sizes)
    assert again.boxes.tolist() == expected.boxes.tolist()
    assert (again.image_index.tolist(), again.classes.tolist()) == (
        expected.image_index.tolist(),
        expected.classes.tolist(),
    )
    assert msgspec.json.decode(msgspec.json.encode(document)) == document
