"""Reads what a task has left below `/out`, for the report."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from common.results.curve import CURVE_FILE, Point, read_curve
from workbench.sample import Angles, Boxes
from workbench.task import Task


@dataclass(frozen=True, eq=False)
class Found:
    """The detections of one image.

    Attributes:
        boxes: `(n, 4)` int64, corners `x1, y1, x2, y2` in pixels, max corner exclusive; turned back to angle 0.
        angles: `(n,)` float64, radians, clockwise as one sees it; 0 where the file has none.
        names: n class names.
        scores: `(n,)` float64 from 0 to 1.
    """

    boxes: Boxes
    angles: Angles
    names: tuple[str, ...]
    scores: NDArray[np.float64]


def read_best_stage(task: Task) -> dict[str, Any]:
    """The best stage of result.yaml: `stage_name`, `files`, `mAP` and so on."""
    document = yaml.safe_load(task.output["training_result_file"].read_text(encoding="utf-8"))
    stage: dict[str, Any] = document["model_stages"][document["best_stage_name"]]
    return stage


def stage_files(task: Task) -> list[Path]:
    """The files of the best stage, found as the platform finds them: below the stage's folder or the models folder."""
    stage, folder = read_best_stage(task), task.output["models_dir"]
    places = [(folder / stage["stage_name"] / name, folder / name) for name in stage["files"]]
    return [own if own.is_file() else shared for own, shared in places]


def read_training_curve(task: Task) -> list[Point]:
    """The training curve, empty if the image wrote none."""
    return read_curve(task.output["root_dir"] / CURVE_FILE)


def read_detections(task: Task) -> dict[str, Found]:
    """The detections by the base names of the images; an image without a single one has an empty entry too.

    Angles are taken for radians.
    """
    images = json.loads(task.output["infer_result_file"].read_text(encoding="utf-8"))["detection"]
    return {name: _found(entry.get("boxes") or entry.get("annotations") or []) for name, entry in images.items()}


def read_ranking(task: Task) -> list[tuple[Path, float]]:
    """The candidates with their mining scores, most valuable first."""
    paths = {path.stem: path for path in task.candidates}
    lines = task.output["mining_result_file"].read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line]
    return [(paths[Path(image).stem], float(score)) for image, score in rows]


def _found(items: list[dict[str, Any]]) -> Found:
    boxes = [item["box"] for item in items]
    corners = [[box["x"], box["y"], box["x"] + box["w"], box["y"] + box["h"]] for box in boxes]
    return Found(
        boxes=np.array(corners, np.int64).reshape(-1, 4),
        angles=np.array([box.get("rotate_angle", 0.0) for box in boxes], np.float64),
        names=tuple(item["class_name"] for item in items),
        scores=np.array([item["score"] for item in items], np.float64),
    )
