"""Metrics of masks and class maps: literal formulas, the numbers of pycocotools, and never one the platform refuses."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from common.masks import rle
from common.results.class_metrics import ClassMetrics
from common.results.mask_metrics import mask_metrics
from common.results.semantic_metrics import confusion, semantic_metrics

MAPS = hnp.arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 2, 3, 255]))


@given(st.lists(st.tuples(MAPS, hnp.arrays(np.uint8, (4, 5), elements=st.integers(0, 3))), max_size=3))
def test_class_metrics_are_the_literal_formulas(pairs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    matrix = sum((confusion(truth, predicted, 4) for truth, predicted in pairs), np.zeros((4, 4), np.int64))
    pixels = [(t, p) for truth, predicted in pairs for t, p in zip(truth.flat, predicted.flat, strict=True) if t != 255]
    ious, accuracies = [], []
    for k in range(4):
        both = sum(t == p == k for t, p in pixels)
        either = sum(k in (t, p) for t, p in pixels)
        true = sum(t == k for t, _ in pixels)
        ious += [both / either] if either else []
        accuracies += [both / true] if true else []
    evaluation = semantic_metrics(matrix, "abcd")
    metrics = evaluation.metrics
    assert metrics["mIoU"] == pytest.approx(np.mean(ious) if ious else 0)
    assert metrics["mAcc"] == pytest.approx(np.mean(accuracies) if accuracies else 0)
    assert metrics["aAcc"] == pytest.approx(np.mean([t == p for t, p in pixels]) if pixels else 0)
    assert all(0 <= value <= 1 for value in metrics.values())
    assert [each.first for each in evaluation.classes if each.first is not None] == pytest.approx(ious)
    assert [each.second for each in evaluation.classes if each.second is not None] == pytest.approx(accuracies)
    assert [each.count for each in evaluation.classes] == [sum(t == k for t, _ in pixels) for k in range(4)]


def test_a_class_that_never_occurs_does_not_count_and_one_that_is_only_predicted_does() -> None:
    truth, predicted = np.array([[0, 0, 0, 255]]), np.array([[0, 0, 1, 2]])
    evaluation = semantic_metrics(confusion(truth, predicted, 3), ("sky", "sea", "land"))
    assert evaluation.metrics == {
        "mIoU": pytest.approx((2 / 3 + 0) / 2),
        "mAcc": pytest.approx(2 / 3),
        "aAcc": pytest.approx(2 / 3),
    }
    assert evaluation.classes == (
        ClassMetrics("sky", 2 / 3, 2 / 3, 3),
        ClassMetrics("sea", 0.0, None, 0),
        ClassMetrics("land", None, None, 0),
    )


@pytest.mark.parametrize(
    ("truth", "predicted", "words"),
    [
        (np.array([[3]]), np.array([[0]]), "truth: expected classes 0 to 2, got 3 to 3"),
        (np.array([[0]]), np.array([[255]]), "predicted: expected classes 0 to 2, got 255 to 255"),
        (np.array([[0]]), np.array([0]), r"predicted: expected shape \(1, 1\), got \(1,\)"),
    ],
)
def test_what_is_no_class_is_refused(truth: np.ndarray, predicted: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        confusion(truth, predicted, 3)


# masks

SIDE = 60


def discs(chance: np.random.Generator, count: int) -> np.ndarray:
    ys, xs = np.indices((SIDE, SIDE))
    centres, radii = chance.uniform(10, 50, (count, 2, 1, 1)), chance.uniform(5, 12, (count, 1, 1))
    return (xs - centres[:, 0]) ** 2 + (ys - centres[:, 1]) ** 2 < radii**2


def segmentation(counts: bytes) -> dict[str, object]:
    return {"counts": counts.decode(), "size": [SIDE, SIDE]}


def data(path: Path, objects: int) -> tuple[np.ndarray, list[bytes]]:
    """Some discs on 6 images, and detections of them: shifted, some of a wrong class, some hollow."""
    chance = np.random.default_rng(0)
    masks = discs(chance, objects)
    images, classes = chance.integers(1, 7, objects), chance.integers(0, 3, objects)
    counts = rle.encode(masks)
    corners = rle.boxes(counts, [(SIDE, SIDE)] * objects)
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    annotations = [
        {"id": i + 1, "image_id": int(images[i]), "category_id": int(classes[i]), "bbox": boxes[i].tolist()}
        | {"area": int(masks[i].sum()), "iscrowd": int(i % 9 == 8), "segmentation": segmentation(counts[i])}
        for i in range(objects)
    ]
    content = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": SIDE, "height": SIDE} for i in range(1, 7)],
        "annotations": annotations,
        "categories": [{"id": i, "name": str(i)} for i in range(3)],
    }
    path.write_text(json.dumps(content))
    moved = np.zeros_like(masks)
    for i, mask in enumerate(masks):
        moved[i] = np.roll(mask, chance.integers(-3, 4, 2), axis=(0, 1))
    moved[::3] &= ~np.roll(moved[::3], 3, axis=1)  # the mask is worse than its box
    classes[::7] = (classes[::7] + 1) % 3
    columns = [images[:, None], boxes, chance.uniform(size=(objects, 1)), classes[:, None]]
    return np.hstack(columns).astype(np.float64), rle.encode(moved)


def reference(path: Path, rows: np.ndarray, masks: list[bytes], kind: str) -> np.ndarray:
    found = [
        {"image_id": int(r[0]), "score": r[5], "category_id": int(r[6])}
        | ({"segmentation": segmentation(counts)} if kind == "segm" else {"bbox": list(r[1:5])})
        for r, counts in zip(rows.tolist(), masks, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
        evaluation = COCOeval(truth, truth.loadRes(found), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def test_mask_metrics_are_those_of_pycocotools(tmp_path: Path) -> None:
    path = tmp_path / "val.json"
    rows, masks = data(path, 40)
    metrics = mask_metrics(path, rows, masks, [(SIDE, SIDE)] * 40)
    for name, kind in (("maskAP", "segm"), ("boxAP", "bbox")):
        expected = reference(path, rows, masks, kind)
        assert 0.05 < metrics[name] < 0.95
        assert metrics[name] == pytest.approx(expected[1], abs=1e-9)
        assert metrics[f"{name}50_95"] == pytest.approx(expected[0], abs=1e-9)
    assert metrics["maskAP"] < metrics["boxAP"]


@pytest.mark.parametrize(("objects", "found"), [(0, 0), (0, 5), (5, 0)])
def test_nothing_to_find_or_nothing_found_is_zero_and_not_minus_one(tmp_path: Path, objects: int, found: int) -> None:
    rows, masks = data(tmp_path / "other.json", found)
    data(tmp_path / "val.json", objects)
    metrics = mask_metrics(tmp_path / "val.json", rows, masks, [(SIDE, SIDE)] * found)
    assert metrics == {"maskAP": 0.0, "maskAP50_95": 0.0, "boxAP": 0.0, "boxAP50_95": 0.0}
