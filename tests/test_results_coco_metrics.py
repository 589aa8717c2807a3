"""Metrics of boxes: the numbers of pycocotools, and never one that the platform refuses."""

import contextlib
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
import shapely
import shapely.affinity
from numpy.typing import ArrayLike
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from common.results.coco_metrics import box_metrics, rotated_box_metrics


def truth(path: Path, *, objects: int, images: int = 8) -> Path:
    chance = np.random.default_rng(0)
    annotations = [
        {
            "id": i + 1,
            "image_id": int(chance.integers(images)) + 1,
            "category_id": int(chance.integers(3)),
            "bbox": [*chance.uniform(0, 60, 2), *chance.uniform(5, 40, 2)],
            "area": 400.0,
            "iscrowd": 0,
        }
        for i in range(objects)
    ]
    document = {
        "images": [{"id": i + 1, "file_name": f"{i}.jpg", "width": 100, "height": 100} for i in range(images)],
        "annotations": annotations,
        "categories": [{"id": i, "name": str(i)} for i in range(3)],
    }
    path.write_text(json.dumps(document))
    return path


def found(path: Path) -> np.ndarray:
    """The objects, shifted a little, some under a wrong class, and some that are none."""
    chance = np.random.default_rng(1)
    rows = [
        [a["image_id"], *(np.array(a["bbox"]) + chance.normal(0, 3, 4)), chance.uniform(), a["category_id"]]
        for a in json.loads(path.read_text())["annotations"]
    ]
    extra = [[1 + i % 8, *chance.uniform(0, 60, 2), 20, 20, chance.uniform(), i % 3] for i in range(10)]
    table = np.array(rows + extra)
    table[::7, 6] = (table[::7, 6] + 1) % 3
    return table


def reference(path: Path, rows: np.ndarray, use_cats: int) -> np.ndarray:
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO(str(path))
        dt = gt.loadRes(
            [
                {"image_id": int(r[0]), "bbox": list(r[1:5]), "score": r[5], "category_id": int(r[6])}
                for r in rows.tolist()
            ]
        )
        evaluation = COCOeval(gt, dt, "bbox")
        evaluation.params.useCats = use_cats
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def test_the_numbers_are_those_of_pycocotools(tmp_path: Path) -> None:
    path = truth(tmp_path / "val.json", objects=40)
    rows = found(path)
    metrics = box_metrics(path, rows, recall=True).metrics
    expected = reference(path, rows, 1)
    assert 0.05 < metrics["mAP"] < 0.95
    assert metrics["mAP"] == pytest.approx(expected[1], abs=1e-9)
    assert metrics["mAP50_95"] == pytest.approx(expected[0], abs=1e-9)
    assert metrics["mAR"] == pytest.approx(reference(path, rows, 0)[8], abs=1e-9)


@pytest.mark.parametrize(("objects", "rows"), [(0, 5), (0, 0), (5, 0)])
def test_nothing_to_find_or_nothing_found_is_zero_and_not_minus_one(tmp_path: Path, objects: int, rows: int) -> None:
    path = truth(tmp_path / "val.json", objects=objects)
    boxes = np.array([[1, 10, 10, 5, 5, 0.5, 0.0]] * rows).reshape(-1, 7)
    assert box_metrics(path, boxes, recall=True).metrics == {"mAP": 0.0, "mAP50_95": 0.0, "mAR": 0.0}


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = truth(tmp_path / "val.json", objects=5)
    box_metrics(path, found(path))
    assert capfd.readouterr().out == ""


def mean(values: list[float | None]) -> float:
    return float(np.mean([value for value in values if value is not None]))


def test_the_classes_have_the_metrics_as_their_means(tmp_path: Path) -> None:
    path = truth(tmp_path / "val.json", objects=40)
    evaluation = box_metrics(path, found(path))
    categories = [annotation["category_id"] for annotation in json.loads(path.read_text())["annotations"]]
    assert [(each.name, each.count) for each in evaluation.classes] == [(str(i), categories.count(i)) for i in range(3)]
    assert len({each.first for each in evaluation.classes}) == 3
    assert mean([each.first for each in evaluation.classes]) == pytest.approx(evaluation.metrics["mAP"])
    assert mean([each.second for each in evaluation.classes]) == pytest.approx(evaluation.metrics["mAP50_95"])


def test_a_class_is_judged_by_itself(tmp_path: Path) -> None:
    """One is found, one is not, and one does not occur: its false alarm counts nowhere."""
    path = truth(tmp_path / "val.json", objects=0)
    box = {"image_id": 1, "bbox": [10, 10, 20, 20], "area": 400.0, "iscrowd": 0}
    annotations = [box | {"id": i + 1, "category_id": category} for i, category in enumerate((0, 1, 1))]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"annotations": annotations}))
    evaluation = box_metrics(path, np.array([[1, 10, 10, 20, 20, 0.9, category] for category in (0, 2)], float))
    found, missed, unseen = evaluation.classes
    assert (found.first, found.second, found.count) == (pytest.approx(1), pytest.approx(1), 1)
    assert (missed.first, missed.second, missed.count) == (0, 0, 2)
    assert (unseen.first, unseen.second, unseen.count) == (None, None, 0)
    assert evaluation.metrics["mAP"] == pytest.approx(0.5)


# rotated boxes

PERFECT = pytest.approx({"mAP": 1, "mAP75": 1, "mAP50_95": 1}, abs=1e-12)
NOTHING = {"mAP": 0, "mAP75": 0, "mAP50_95": 0}
THRESHOLDS = np.linspace(0.5, 0.95, 10)


def rotated_truth(path: Path, boxes: np.ndarray, images: np.ndarray, classes: np.ndarray) -> Path:
    annotations = [
        {
            "id": i,
            "image_id": image,
            "category_id": category,
            "bbox": [0, 0, 1, 1],  # what is compared are the rotated boxes
            "area": box[2] * box[3],
            "iscrowd": 0,
            "obb": box,
        }
        for i, (box, image, category) in enumerate(
            zip(boxes.tolist(), images.tolist(), classes.tolist(), strict=True), 1
        )
    ]
    document = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 500, "height": 500} for i in (1, 2)],
        "annotations": annotations,
        "categories": [{"id": i, "name": str(i)} for i in range(3)],
    }
    path.write_text(json.dumps(document))
    return path


def rows_of(boxes: ArrayLike, image: int = 1, score: float = 0.5, category: int = 0) -> np.ndarray:
    table = np.asarray(boxes, np.float64).reshape(-1, 5)
    ones = np.ones((len(table), 1))
    return np.hstack([image * ones, table, score * ones, category * ones])


def of_one(path: Path, box: ArrayLike, found: ArrayLike) -> dict[str, float]:
    """Metrics of one detection of one object."""
    truth = rotated_truth(path, np.array([box], float), np.array([1]), np.array([0]))
    return rotated_box_metrics(truth, rows_of(found)).metrics


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ((50, 40, 60, 20, 0.3), (50, 40, 60, 20, 0.3)),
        ((50, 40, 60, 20, 0.3), (50, 40, 20, 60, 0.3 + math.pi / 2)),
        ((50, 40, 60, 20, 0.3), (50, 40, 60, 20, 0.3 - math.pi)),
        ((50, 40, 30, 30, 0.7), (50, 40, 30, 30, 0.7 - math.pi / 2)),
        ((50, 40, 300, 2, math.pi / 2), (50, 40, 2, 300, 0)),
    ],
)
def test_the_same_rectangle_in_another_writing_is_a_hit(
    tmp_path: Path, box: tuple[float, ...], found: tuple[float, ...]
) -> None:
    assert of_one(tmp_path / "val.json", box, found) == PERFECT


def test_angles_turn_clockwise(tmp_path: Path) -> None:
    """Two boxes that mirror each other overlap little, though their enclosing boxes are the same."""
    found = of_one(tmp_path / "val.json", (50, 40, 60, 6, 0.5), (50, 40, 60, 6, -0.5))
    assert found == NOTHING


@pytest.mark.parametrize(
    ("iou", "expected"),
    [(0.49, (0, 0, 0)), (0.51, (1, 0, 0.1)), (0.62, (1, 0, 0.3)), (0.76, (1, 1, 0.6)), (0.99, (1, 1, 1))],
)
def test_a_hit_counts_up_to_its_iou(tmp_path: Path, iou: float, expected: tuple[float, float, float]) -> None:
    """A box that is moved along itself by a share s of its length has the IoU (1 - s) / (1 + s)."""
    shift = 60 * (1 - iou) / (1 + iou)
    angle = 0.9
    moved = (50 + shift * math.cos(angle), 40 + shift * math.sin(angle), 60, 20, angle)
    found = of_one(tmp_path / "val.json", (50, 40, 60, 20, angle), moved)
    assert list(found.values()) == pytest.approx(expected)


def test_the_numbers_are_those_of_the_definition(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    n = 60
    boxes = np.hstack([chance.uniform(50, 450, (n, 2)), chance.uniform(8, 60, (n, 2)), chance.uniform(-4, 4, (n, 1))])
    images, classes = chance.integers(1, 3, n), chance.integers(0, 3, n)
    found = boxes + chance.normal(0, 1, (n, 5)) * [1.5, 1.5, 2, 2, 0.06]
    found[::9] = boxes[chance.permutation(n)[: len(found[::9])]]
    rows = np.hstack([images[:, None], found, chance.uniform(size=(n, 1)), classes[:, None]])
    metrics = rotated_box_metrics(rotated_truth(tmp_path / "val.json", boxes, images, classes), rows).metrics
    by_iou = [np.mean([average_precision(boxes, images, classes, rows, c, t) for c in range(3)]) for t in THRESHOLDS]
    assert 0.2 < metrics["mAP75"] < metrics["mAP"] < 0.98
    assert metrics["mAP"] == pytest.approx(by_iou[0], abs=1e-6)
    assert metrics["mAP75"] == pytest.approx(by_iou[5], abs=1e-6)
    assert metrics["mAP50_95"] == pytest.approx(np.mean(by_iou), abs=1e-6)


def test_the_classes_of_rotated_boxes_have_the_metrics_as_their_means(tmp_path: Path) -> None:
    boxes = np.array([[50 + 90 * i, 60, 40, 20, 0.5 * i] for i in range(4)], float)
    path = rotated_truth(tmp_path / "val.json", boxes, np.ones(4, int), np.array([0, 0, 0, 2]))
    evaluation = rotated_box_metrics(path, rows_of(boxes[1:3]))
    first, unseen, missed = evaluation.classes
    assert [each.count for each in evaluation.classes] == [3, 0, 1]
    assert 0.6 < (first.first or 0) < 0.7
    assert (unseen.first, missed.first) == (None, 0)
    assert mean([each.first for each in evaluation.classes]) == pytest.approx(evaluation.metrics["mAP"])
    assert mean([each.second for each in evaluation.classes]) == pytest.approx(evaluation.metrics["mAP50_95"])


def average_precision(
    boxes: np.ndarray, images: np.ndarray, classes: np.ndarray, rows: np.ndarray, wanted: int, threshold: float
) -> float:
    """COCO's definition, with the IoU of polygons: the highest precision from each of 101 recalls on, averaged."""
    left = {int(i): polygon(boxes[i]) for i in np.flatnonzero(classes == wanted)}
    total, hits = len(left), []
    for image, *box, _, category in rows[np.argsort(-rows[:, 6], kind="stable")]:
        if category == wanted:
            shape = polygon(box)
            overlaps = {
                i: shape.intersection(p).area / shape.union(p).area for i, p in left.items() if images[i] == image
            }
            best = max(overlaps, key=overlaps.__getitem__, default=None)
            hits.append(best is not None and overlaps[best] >= threshold)
            if hits[-1]:
                del left[best]
    right = np.cumsum(hits)
    precision, recall = right / np.arange(1, len(hits) + 1), right / total
    return float(np.mean([max(precision[recall >= r - 1e-12], default=0.0) for r in np.linspace(0, 1, 101)]))


def polygon(box: ArrayLike) -> shapely.Polygon:
    cx, cy, w, h, angle = map(float, np.asarray(box))
    square = shapely.box(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    return shapely.affinity.rotate(square, angle, use_radians=True)  # y points down, so this turns clockwise


def test_more_objects_in_an_image_than_coco_counts_are_all_found(tmp_path: Path) -> None:
    boxes = np.array([[20 + 10 * (i % 20), 20 + 10 * (i // 20), 8, 3, i] for i in range(200)], float)
    path = rotated_truth(tmp_path / "val.json", boxes, np.ones(200, int), np.zeros(200, int))
    assert rotated_box_metrics(path, rows_of(boxes)).metrics == PERFECT


@pytest.mark.parametrize(("objects", "rows"), [(0, 5), (0, 0), (5, 0)])
def test_no_rotated_box_to_find_or_none_found_is_zero(tmp_path: Path, objects: int, rows: int) -> None:
    boxes = np.tile([30.0, 30, 20, 10, 0.4], (objects, 1))
    path = rotated_truth(tmp_path / "val.json", boxes, np.ones(objects, int), np.zeros(objects, int))
    found = rows_of(np.tile([30.0, 30, 20, 10, 0.4], (rows, 1)))
    assert rotated_box_metrics(path, found).metrics == NOTHING


def test_nothing_is_printed_about_rotated_boxes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    of_one(tmp_path / "val.json", (50, 40, 60, 20, 0.3), (50, 40, 60, 20, 0.3))
    assert capfd.readouterr() == ("", "")
