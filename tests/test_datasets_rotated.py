"""Rotated boxes of a data set: their angles, those beside their image, and the COCO document of both."""

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import ArrayLike

from common.boxes.rotated import corners
from common.contract import AngleUnit
from common.datasets.coco_writer import to_coco
from common.datasets.dataset import Dataset
from common.datasets.rotated import inside, rotated_boxes

WIDTH, HEIGHT = 100, 50


def dataset_of(boxes: ArrayLike, angles: ArrayLike | None = None) -> Dataset:
    """All boxes `x1, y1, x2, y2` in the second of three images, of one class."""
    table = np.asarray(boxes, np.float32).reshape(-1, 4)
    n = len(table)
    return Dataset(
        images=(Path("a"), Path("b"), Path("c")),
        class_names=("ship", "car"),
        image_index=np.ones(n, np.int64),
        classes=np.ones(n, np.int64),
        boxes=table,
        angles=np.zeros(n, np.float32) if angles is None else np.asarray(angles, np.float32),
        quality=np.full(n, -1, np.float32),
    )


SIZES = np.array([[1, 1], [WIDTH, HEIGHT], [1, 1]])


def kept(cx: float, cy: float, w: float, h: float, degrees: float) -> bool:
    box = np.array([[cx, cy, w, h, math.radians(degrees)]])
    upright = [[cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]]
    return bool(inside(dataset_of(upright), box, SIZES)[0])


@pytest.mark.parametrize(("unit", "angle"), [(AngleUnit.RADIAN, 0.5), (AngleUnit.PI, 0.5 / math.pi)])
def test_angles_become_radians_and_boxes_are_turned_about_their_centres(unit: AngleUnit, angle: float) -> None:
    boxes = rotated_boxes(dataset_of([[10, 20, 40, 30], [0, 0, 5, 9]], [angle, -2 * angle]), unit)
    assert boxes == pytest.approx(np.array([[25, 25, 30, 10, 0.5], [2.5, 4.5, 5, 9, -1]]), abs=1e-6)
    assert boxes.dtype == np.float64


def test_angles_are_left_in_the_range_that_the_files_have() -> None:
    boxes = rotated_boxes(dataset_of([[0, 0, 4, 2]] * 3, [-3.0, 0.0, 6.0]), AngleUnit.RADIAN)
    assert boxes[:, 4].tolist() == [-3, 0, 6]


def test_a_data_set_without_objects_has_no_boxes() -> None:
    none = dataset_of([])
    boxes = rotated_boxes(none, AngleUnit.PI)
    assert boxes.shape == (0, 5)
    assert inside(none, boxes, SIZES).shape == (0,)


@pytest.mark.parametrize(
    "box",
    [
        (50, 25, 20, 10, 30),
        (50, 25, WIDTH, HEIGHT, 0),  # the image itself
        (50, 25, HEIGHT, WIDTH, 90),  # the same, written in another way
        (50, 25, 999, 999, 20),  # all around it
        (0, 0, 10, 10, 45),  # a quarter of it
        (-4, 25, 10, 2, 0),  # a pixel of it
        (-4, 25, 2, 10, 90),
        (-20, 25, 60, 2, 10),  # the centre is outside
    ],
)
def test_what_lies_in_the_image_in_part_is_kept(box: tuple[float, ...]) -> None:
    assert kept(*box)


@pytest.mark.parametrize(
    "box",
    [
        (150, 25, 20, 10, 30),
        (-6, 25, 10, 2, 0),
        (-5, 25, 10, 2, 0),  # only touches it
        (-4, 25, 10, 2, 90),  # would reach it if it were not turned
        (-10, -10, 60, 2, -45),  # passes its corner; the box around it does not
    ],
)
def test_what_lies_beside_the_image_is_dropped(box: tuple[float, ...]) -> None:
    assert not kept(*box)


def test_the_document_has_whole_rotated_boxes_and_upright_ones_around_them() -> None:
    dataset = dataset_of([[-10, 10, 50, 30], [300, 0, 310, 10], [40, 20, 60, 24]], [0.25, 0.1, 0.5])
    document = to_coco(dataset, SIZES, ["a", "b", "c"], AngleUnit.PI)
    first, second = document["annotations"]
    assert first["obb"] == pytest.approx([20, 20, 60, 20, math.pi / 4])
    assert second["obb"] == pytest.approx([50, 22, 20, 4, math.pi / 2])
    assert second["bbox"] == pytest.approx([48, 12, 4, 20])
    assert (first["area"], second["area"]) == (1200, 80)
    assert [(a["id"], a["image_id"], a["category_id"], a["iscrowd"]) for a in (first, second)] == [
        (1, 2, 1, 0),
        (2, 2, 1, 0),
    ]
    around = shapely.polygons(corners(np.array([first["obb"]])))[0].bounds
    x, y, width, height = first["bbox"]
    assert (x, y, x + width, y + height) == pytest.approx(around)


def test_without_a_unit_angles_mean_nothing() -> None:
    dataset = dataset_of([[-10, 10, 50, 30]], [0.25])
    assert to_coco(dataset, SIZES, ["a", "b", "c"])["annotations"] == [
        {"id": 1, "image_id": 2, "category_id": 1, "bbox": [0, 10, 50, 20], "area": 1000, "iscrowd": 0}
    ]


def test_a_document_without_objects_has_no_annotations() -> None:
    document = to_coco(dataset_of([]), SIZES, ["a", "b", "c"], AngleUnit.RADIAN)
    assert (len(document["images"]), document["annotations"]) == (3, [])
