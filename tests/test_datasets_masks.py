"""Masks of the platform's annotation file, and what the frameworks read of them."""

import json
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from coco_masks import encode

from common.contract import AnnotationFormat
from common.datasets.index import read_training_index
from common.datasets.label_map_writer import BACKGROUND, label_map, label_map_classes, write_label_maps
from common.datasets.mask_dataset import MaskDataset, check_sizes, read_mask_dataset
from common.datasets.yolo_mask_writer import write_yolo_masks
from common.errors import DatasetError

NAMES = ("dog", "traffic light", "猫")
COCO = AnnotationFormat.COCO
HEIGHT, WIDTH = 6, 9


def mask_of(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[rows, columns] = True
    return mask


def compressed(mask: np.ndarray, **changes: Any) -> dict[str, Any]:
    return {"counts": encode(mask).decode(), "size": list(mask.shape)} | changes


LEFT, RIGHT, LOW = (
    mask_of(slice(1, 4), slice(0, 5)),
    mask_of(slice(1, 4), slice(3, 9)),
    mask_of(slice(3, 6), slice(2, 4)),
)


def found(segmentation: Any, image: int = 3, category: int = 0, **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "segmentation": segmentation, **more}


def document(*objects: dict[str, Any]) -> dict[str, Any]:
    """The platform's file: images of other index files too, and categories that miss a class."""
    names = ["other.jpg", "图 b", "a.jpg"]
    entries = [{"id": i, "file_name": name, "width": WIDTH, "height": HEIGHT} for i, name in enumerate(names, 1)]
    return {
        "images": entries,
        "categories": [{"id": 1, "name": "traffic light", "supercategory": "object"}],
        "annotations": [
            {"id": i + 10, "iscrowd": 0, "confidence": -1.0, "area": 7, "bbox": [0, 0, 1, 1], **entry}
            for i, entry in enumerate(objects)
        ],
    }


def read(folder: Path, content: dict[str, Any], images: tuple[str, ...] = ("/in/a.jpg", "/in/图 b")) -> MaskDataset:
    file = folder / "coco-annotations.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    (folder / "train-index.tsv").write_text("".join(f"{image}\t{file}\n" for image in images), encoding="utf-8")
    return read_mask_dataset(read_training_index(folder / "train-index.tsv"), COCO, NAMES)


def test_every_form_of_a_mask_is_read_with_its_class_index(tmp_path: Path) -> None:
    polygon = [[2, 1, 6, 1, 6, 4, 2, 4]]
    dataset = read(
        tmp_path,
        document(
            found(compressed(LEFT), 2, 2),
            found(polygon, 3, 0),
            found({}, 2, 1, bbox=[1, 2, 3, 4]),
            found(compressed(LOW), 1, 99),  # of another index: its own reader complains
            found(compressed(RIGHT), 3, 2, iscrowd=1),
        ),
    )
    data = dataset.plain
    assert data.images == (Path("/in/a.jpg"), Path("/in/图 b"))
    assert (data.image_index.tolist(), data.classes.tolist()) == ([0, 0, 1, 1], [0, 2, 2, 1])
    assert data.boxes.tolist() == [[2, 1, 6, 4], [3, 1, 9, 4], [0, 1, 5, 4], [1, 2, 4, 6]]  # of the masks, not bbox
    assert dataset.masked.tolist() == [True, True, True, False]
    assert dataset.crowds.tolist() == [False, True, False, False]
    assert dataset.sizes.tolist() == [[WIDTH, HEIGHT]] * 2
    decoded = {row: mask for i in range(2) for row, mask in dataset.decoded(i)}
    expected = {0: mask_of(slice(1, 4), slice(2, 6)), 1: RIGHT, 2: LEFT}
    assert decoded.keys() == expected.keys()
    assert all(np.array_equal(decoded[row], expected[row]) for row in expected)


def test_masks_stay_compressed_and_follow_their_objects(tmp_path: Path) -> None:
    dataset = read(tmp_path, document(found(compressed(LEFT), 2), found(compressed(LOW), 3), found({}, 3)))
    assert all(isinstance(counts, bytes) for counts in dataset.masks)
    turned = dataset.subset([1, 0])
    assert turned.images[0] == Path("/in/图 b")
    assert turned.masks == (dataset.masks[2], *dataset.masks[:2])
    assert turned.single_objects().masks == (dataset.masks[2], dataset.masks[0])
    assert dataset.subset([]).masks == ()


@pytest.mark.parametrize(
    "entry",
    [
        found(compressed(np.zeros((HEIGHT, WIDTH), np.bool_))),  # a mask without a pixel
        found([[1.4, 1, 1.45, 1, 1.45, 1.02]]),  # a polygon without a pixel
        found({}, bbox=[1, 2, 0, 4]),  # an empty box
        found(compressed(LEFT), image=77),  # an image that is not in the file
    ],
)
def test_what_shows_nothing_is_no_object(tmp_path: Path, entry: dict[str, Any]) -> None:
    assert len(read(tmp_path, document(entry, found(compressed(LOW)))).masks) == 1


@pytest.mark.parametrize("segmentation", [{}, [], None])
def test_boxes_without_a_mask_are_counted(tmp_path: Path, segmentation: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read(tmp_path, document(found(segmentation), found(compressed(LOW))))
    assert "1 of 2 objects are boxes without a mask" in caplog.text
    with pytest.raises(DatasetError, match="none of the 2 objects has a mask"):
        read(tmp_path, document(found(segmentation), found(segmentation)))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (found(compressed(LEFT), category=3), ["class index 3", "0 to 2"]),  # a class too many
        (found(compressed(LEFT, size=[WIDTH, HEIGHT])), ["RLE size [9, 6]", "allowed is [6, 9]"]),  # sides swapped
        (found(compressed(LEFT, counts="d0")), ["counts 'd0'", "6 x 9 pixels"]),  # another number of pixels
        (found(compressed(LEFT, counts="d")), ["counts 'd'"]),  # cut off
        (found(compressed(LEFT, counts="é" * 4)), ["counts '????'"]),  # no RLE at all
        (found(compressed(LEFT, counts=[1, 2, 51])), ["[1, 2, 51]", "Expected `str", "compressed RLE"]),  # uncompressed
        (found({"counts": "d0"}), ['{"counts": "d0"}', "compressed RLE"]),  # no size
        (found(compressed(LEFT, size=[6])), ["length 2", "compressed RLE"]),  # half a size
        (found([1, 2, 3, 4, 5, 6]), ["Expected `array", "[[x1, y1"]),  # flat
        (found([[1, 1, 5, 1, 5, 5], [7, 7, 8, 7, 8, 8]]), ["[7, 7", "one polygon"]),  # two rings
        (found([[1, 1, 5, 1]]), ["4 numbers", "at least three"]),  # a line
        (found([[1, 1, 5, 1, 5, 5, 2]]), ["7 numbers"]),  # half a point
        (found([[1, 1, 5, 1, 5, -1e9]]), ["-1e+09", "65536"]),  # far away
        (found("mask.png"), ['"mask.png"', "compressed RLE"]),  # a file name
        (found({}, bbox=[1, 2, 3]), ["no mask", "[1.0, 2.0, 3.0]", "four numbers"]),  # neither mask nor box
        (found({}, bbox=[1, 2, -3, 4]), ["no mask", "-3.0"]),  # negative width
    ],
)
def test_a_malformed_annotation_is_refused_with_file_id_and_value(
    tmp_path: Path, entry: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(DatasetError) as failure:
        read(tmp_path, document(found(compressed(LOW)), entry))
    place = f"{tmp_path / 'coco-annotations.json'}: annotations[1] (id 11): "
    assert [word for word in [place, *words] if word not in str(failure.value)] == []


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    entries = [found([[1, 2]]), found(compressed(LEFT, counts="d")), found({}, bbox=[]), found(compressed(LEFT), 2, 7)]
    with pytest.raises(DatasetError, match=r"^4 problems: ") as failure:
        read(tmp_path, document(*entries))
    assert [i for i in range(10, 14) if f"(id {i})" not in str(failure.value)] == []


def test_an_image_without_a_size_is_refused(tmp_path: Path) -> None:
    content = document(found(compressed(LEFT)))
    del content["images"][2]["width"]
    with pytest.raises(DatasetError, match=r"image 'a\.jpg': width 0, height 6; allowed are integers >= 1"):
        read(tmp_path, content)


def test_only_coco_has_masks(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="export_format ark: exports no masks; allowed is seg-coco:raw"):
        read_mask_dataset([], AnnotationFormat.ARK, NAMES)


def test_images_of_another_size_than_annotated_are_refused(tmp_path: Path) -> None:
    dataset = read(tmp_path, document(found(compressed(LEFT))))
    check_sizes(dataset, np.array([[WIDTH, HEIGHT]] * 2))
    with pytest.raises(DatasetError, match=r"图 b: 6 x 9 pixels, but its annotations say width 9 and height 6"):
        check_sizes(dataset, np.array([[WIDTH, HEIGHT], [HEIGHT, WIDTH]]))


# label maps


@pytest.mark.parametrize(("ignored", "blank"), [(False, 3), (True, 255)])
def test_the_blank_area_is_the_last_class_or_ignored(tmp_path: Path, ignored: bool, blank: int) -> None:
    dataset = read(tmp_path, document(found(compressed(LEFT), 3, 1)))
    expected = np.where(LEFT, 1, blank)
    assert np.array_equal(label_map(dataset, 0, ignore_black_area=ignored), expected)
    assert (label_map(dataset, 1, ignore_black_area=ignored) == blank).all()
    names = label_map_classes(NAMES, ignore_black_area=ignored)
    assert names == (NAMES if ignored else (*NAMES, BACKGROUND))


def test_the_later_object_lies_on_top_crowds_below_all_and_mere_boxes_are_ignored(tmp_path: Path) -> None:
    objects = [
        found(compressed(LEFT), 3, 0),
        found(compressed(RIGHT), 3, 1),
        found(compressed(LOW), 3, 2, iscrowd=1),
        found({}, 3, 2, bbox=[-5, 2, 7, 40]),  # reaches beyond the image
    ]
    labels = label_map(read(tmp_path, document(*objects)), 0, ignore_black_area=False)
    expected = np.full((HEIGHT, WIDTH), 3)
    expected[2:, :2] = 255
    for mask, value in ((LOW, 2), (LEFT, 0), (RIGHT, 1)):
        expected[mask] = value
    assert labels.dtype == np.uint8
    assert np.array_equal(labels, expected)


def test_more_classes_than_8_bits_are_refused() -> None:
    assert len(label_map_classes([str(i) for i in range(255)], ignore_black_area=True)) == 255
    with pytest.raises(DatasetError, match=r"255 classes make a label map of 256 values; allowed are at most 255"):
        label_map_classes([str(i) for i in range(255)], ignore_black_area=False)


def image_files(folder: Path) -> list[Path]:
    files = [folder / "x.png", folder / "y.jpg"]
    for file in files:
        cv2.imwrite(str(file), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    return files


def test_label_maps_are_written_as_mmsegmentation_looks_for_them(tmp_path: Path) -> None:
    dataset = read(tmp_path, document(found(compressed(LEFT), 3, 1)))
    folder = tmp_path / "data"
    (folder / "labels" / "train").mkdir(parents=True)
    (folder / "labels" / "train" / "stale.png").write_bytes(b"")
    for _ in range(2):  # a restarted task finds its files
        listed = write_label_maps(dataset, image_files(tmp_path), folder, "train", ignore_black_area=False)
    names = listed.read_text().splitlines()
    assert names == ["000000.png", "000001.jpg"]
    assert sorted(path.name for path in (folder / "labels" / "train").iterdir()) == [f"{name}.png" for name in names]
    assert all((folder / "images" / "train" / name).is_file() for name in names)
    stored = cv2.imread(str(folder / "labels" / "train" / f"{names[0]}.png"), cv2.IMREAD_UNCHANGED)
    assert (stored.dtype, stored.shape) == (np.uint8, (HEIGHT, WIDTH))
    assert np.array_equal(stored, np.where(LEFT, 1, 3))


# ultralytics


def test_an_object_of_two_parts_and_a_hole_is_one_line(tmp_path: Path) -> None:
    mask = mask_of(slice(0, 6), slice(0, 5))
    mask[2:4, 2] = False
    mask[1:3, 7:9] = True
    crowd, box = found(compressed(LOW), 3, 0, iscrowd=1), found({}, 3, 0)
    dataset = read(tmp_path, document(found(compressed(mask), 3, 1), crowd, box, found(compressed(LEFT), 3, 0)))
    images = write_yolo_masks(dataset, image_files(tmp_path), tmp_path / "data", "train")
    labels = tmp_path / "data" / "labels" / "train"
    assert sorted(path.name for path in images.iterdir()) == ["000000.png", "000001.jpg"]
    assert (labels / "000001.txt").read_text() == ""
    first, second = (labels / "000000.txt").read_text().splitlines()
    assert (first.split()[0], second.split()[0]) == ("1", "0")
    corners = np.array(first.split()[1:], np.float32).reshape(-1, 2) * np.array([WIDTH, HEIGHT], np.float32)
    image = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(image, [corners.astype(np.int32)], 1)
    assert (image[mask] == 1).all()
    assert (image > 0).sum() - mask.sum() == 2  # the bridge over columns 5 and 6
