"""infer-result.json of masks, as the platform's parser demands it."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco_mask

from common.contract import ObjectType
from common.masks.rle import Part
from common.results.records import CHUNK_TYPES, MaskObject, Record
from common.results.segmentation import class_objects, instances, write_segmentation_result

NAMES = ("dog", "黑 cat")


def block(rows: slice, columns: slice, shape: tuple[int, int] = (5, 8)) -> np.ndarray:
    mask = np.zeros(shape, np.bool_)
    mask[rows, columns] = True
    return mask


def found(*masks: np.ndarray, classes: list[int] | None = None, scores: list[float] | None = None) -> Any:
    n = len(masks)
    columns = (np.array(classes or [0] * n, np.int64), np.array(scores or [0.5] * n, np.float32))
    return instances([Part(0, 0, mask) for mask in masks], *columns, (5, 8), NAMES)


def written(path: Path, images: Any) -> Any:
    write_segmentation_result(path, images, NAMES)
    return json.loads(path.read_text(encoding="utf-8"))


BLOCK, CORNER = block(slice(1, 3), slice(2, 6)), block(slice(4, 5), slice(7, 8))


def test_an_instance_is_written_as_the_platform_reads_it(tmp_path: Path) -> None:
    record = Record(found(BLOCK, CORNER, classes=[1, 0], scores=[0.75, 0.25]), (5, 8))
    images = [("a b.JPG", record), ("图", Record(size=(5, 8))), ('quote".png', Record(bad="broken"))]
    content = written(tmp_path / "out" / "infer-result.json", images)
    assert content["images"] == [
        {"id": 1, "file_name": "a b.JPG", "width": 8, "height": 5},
        {"id": 2, "file_name": "图", "width": 8, "height": 5},
        {"id": 3, "file_name": 'quote".png', "width": 0, "height": 0},
    ]
    assert content["categories"] == [{"id": 0, "name": "dog"}, {"id": 1, "name": "黑 cat"}]
    first, second = content["annotations"]
    assert {key: first[key] for key in first if key != "segmentation"} == {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [2, 1, 4, 2],
        "area": 8,
        "iscrowd": 0,
        "confidence": 0.75,
    }
    assert first["segmentation"]["size"] == [5, 8]
    assert isinstance(first["segmentation"]["counts"], str)
    assert {type(value) for value in [*first["bbox"], first["area"]]} == {int}
    assert (second["id"], second["bbox"], second["area"]) == (2, [7, 4, 1, 1], 1)


def test_no_image_and_no_object_are_valid(tmp_path: Path) -> None:
    content = written(tmp_path / "infer-result.json", [])
    assert content == {"categories": [{"id": 0, "name": "dog"}, {"id": 1, "name": "黑 cat"}], "annotations": []} | {
        "images": []
    }
    assert found() == ()


def test_masks_without_a_pixel_and_foreign_classes_are_left_out() -> None:
    objects = found(np.zeros((5, 8), np.bool_), BLOCK, CORNER, classes=[0, 2, 1], scores=[0.9, 0.8, 0.7])
    assert [(item.class_name, item.confidence) for item in objects] == [(NAMES[1], 0.7)]


def test_of_one_class_and_box_only_the_best_is_kept() -> None:
    ring = BLOCK.copy()
    ring[1, 3:5] = False  # another mask, the same box
    objects = found(BLOCK, CORNER, ring, ring, classes=[0, 0, 0, 1], scores=[0.9, 0.8, 0.7, 0.6])
    assert [(item.class_name, item.area, item.confidence) for item in objects] == [
        ("dog", 8, 0.9),
        ("dog", 1, 0.8),
        (NAMES[1], 6, 0.6),
    ]


@pytest.mark.parametrize(("score", "confidence"), [(1.001, 1.0), (-0.001, 0.0), (0.123456789, 0.123457)])
def test_a_confidence_lies_between_0_and_1(score: float, confidence: float) -> None:
    assert [item.confidence for item in found(BLOCK, scores=[score])] == [confidence]


def test_a_class_of_an_image_is_one_annotation_without_a_confidence(tmp_path: Path) -> None:
    labels = np.full((5, 8), 2, np.uint8)  # 2 is the background
    labels[:2, :3] = labels[3:, 6:] = 1
    [item] = class_objects(labels, NAMES)
    assert (item.class_name, item.bbox, item.area) == (NAMES[1], (0, 0, 8, 5), 10)
    [annotation] = written(tmp_path / "r.json", [("a.jpg", Record((item,), (5, 8)))])["annotations"]
    assert "confidence" not in annotation
    assert class_objects(np.full((5, 8), 2), NAMES) == ()


def runs_of(counts: str, height: int, width: int) -> np.ndarray:
    lengths: list[int] = []
    number = shift = 0
    for group in (ord(character) - 48 for character in counts):
        number |= (group & 31) << shift
        shift += 5
        if not group & 32:
            number -= (1 << shift) if group & 16 else 0
            lengths.append(number + (lengths[-2] if len(lengths) > 2 else 0))
            number = shift = 0
    flat = [i % 2 == 1 for i, length in enumerate(lengths) for _ in range(length)]
    return np.array(flat, np.bool_).reshape(width, height).T


SIZE = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(SIZE.flatmap(lambda size: hnp.arrays(np.uint8, size, elements=st.integers(0, 3))))
def test_every_pixel_of_a_class_map_comes_back(tmp_path_factory: pytest.TempPathFactory, labels: np.ndarray) -> None:
    path = tmp_path_factory.getbasetemp() / "semantic.json"
    record = Record(class_objects(labels, NAMES), labels.shape)
    read = np.full(labels.shape, 9)
    for annotation in written(path, [("a", record)])["annotations"]:
        mask = decoded_text(annotation)
        assert annotation["area"] == mask.sum()
        read[mask] = annotation["category_id"]
    assert np.array_equal(read, np.where(labels < 2, labels, 9))


def decoded_text(annotation: dict[str, Any]) -> np.ndarray:
    return runs_of(annotation["segmentation"]["counts"], *annotation["segmentation"]["size"])


@given(SIZE.flatmap(lambda size: hnp.arrays(np.bool_, (3, *size))))
def test_every_pixel_of_an_instance_comes_back(tmp_path_factory: pytest.TempPathFactory, masks: np.ndarray) -> None:
    objects = instances(
        [Part(0, 0, mask) for mask in masks], np.array([0, 1, 0]), np.array([0.9, 0.8, 0.7]), masks.shape[1:], NAMES
    )
    path = tmp_path_factory.getbasetemp() / "instance.json"
    annotations = written(path, [("a", Record(objects, masks.shape[1:]))])["annotations"]
    kept = {0.9: masks[0], 0.8: masks[1], 0.7: masks[2]}
    for annotation in annotations:
        mask = decoded_text(annotation)
        assert np.array_equal(mask, kept.pop(annotation["confidence"]))
        assert annotation["bbox"] == box_of(mask)
        rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
        assert annotation["segmentation"]["counts"] == rle["counts"].decode()  # the very text of pycocotools
    # Left out are empty masks, and the third if it has the box of the first.
    assert [box_of(mask) for mask in kept.values() if mask.any()] in ([], [box_of(masks[0])])


def box_of(mask: np.ndarray) -> list[int]:
    ys, xs = np.nonzero(mask)
    return [xs.min(), ys.min(), xs.max() - xs.min() + 1, ys.max() - ys.min() + 1] if len(ys) else []


def test_a_record_survives_its_shard() -> None:
    record = Record((*found(BLOCK), *class_objects(np.zeros((5, 8), np.uint8), NAMES)), (5, 8), 0.25, b"\0\xff")
    assert msgspec.json.decode(msgspec.json.encode([record]), type=CHUNK_TYPES[ObjectType.INSTANCE]) == [record]


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    record = Record((MaskObject("dog", (0, 0, 8, 5), 40, "0X1", 0.5),), (5, 8))

    def peak(images: int) -> int:
        tracemalloc.start()
        write_segmentation_result(tmp_path / "r.json", ((f"{i:09d}.jpg", record) for i in range(images)), NAMES)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(10)
    assert peak(5000) < peak(1000) + 20_000
    assert len(json.loads((tmp_path / "r.json").read_bytes())["images"]) == 1000


def test_a_failure_half_way_leaves_the_old_result_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "infer-result.json"
    write_segmentation_result(path, [("a.jpg", Record(size=(5, 8)))], NAMES)
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        write_segmentation_result(path, ((f"{1 // i}.jpg", Record()) for i in (1, 0)), NAMES)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [before]
