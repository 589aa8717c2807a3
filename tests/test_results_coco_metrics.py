"""Metrics of boxes: the numbers of pycocotools, and never one that the platform refuses."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from common.results.coco_metrics import box_metrics


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
    metrics = box_metrics(path, rows, recall=True)
    expected = reference(path, rows, 1)
    assert 0.05 < metrics["mAP"] < 0.95
    assert metrics["mAP"] == pytest.approx(expected[1], abs=1e-9)
    assert metrics["mAP50_95"] == pytest.approx(expected[0], abs=1e-9)
    assert metrics["mAR"] == pytest.approx(reference(path, rows, 0)[8], abs=1e-9)


@pytest.mark.parametrize(("objects", "rows"), [(0, 5), (0, 0), (5, 0)])
def test_nothing_to_find_or_nothing_found_is_zero_and_not_minus_one(tmp_path: Path, objects: int, rows: int) -> None:
    path = truth(tmp_path / "val.json", objects=objects)
    boxes = np.array([[1, 10, 10, 5, 5, 0.5, 0.0]] * rows).reshape(-1, 7)
    assert box_metrics(path, boxes, recall=True) == {"mAP": 0.0, "mAP50_95": 0.0, "mAR": 0.0}


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = truth(tmp_path / "val.json", objects=5)
    box_metrics(path, found(path))
    assert capfd.readouterr().out == ""
