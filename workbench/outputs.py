"""Reads the outputs of a task, for the report."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from common.contract import REGIONS_FOLDER, ObjectType
from common.masks import rle
from common.results.class_metrics import CLASS_FILE, ClassMetrics, read_classes
from common.results.curve import CURVE_FILE, Point, read_curve
from workbench.drawn import Drawn
from workbench.task import Task

Item = dict[str, Any]
"""One object of infer-result.json, with `class_name` and `score` whatever its form; a score of None = it has none."""


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


def read_class_metrics(task: Task) -> list[ClassMetrics]:
    """The metrics by class, empty if the image wrote none."""
    return read_classes(task.output["root_dir"] / CLASS_FILE)


def read_items(task: Task) -> dict[str, list[Item]]:
    """Predictions by the base names of the images; images without any have an empty entry."""
    document = json.loads(task.output["infer_result_file"].read_text(encoding="utf-8"))
    if task.object_type is not ObjectType.DETECTION:
        return _of_coco(document)
    images = document["detection"]
    return {name: entry.get("boxes") or entry.get("annotations") or [] for name, entry in images.items()}


def objects_of(items: Sequence[Item], object_type: ObjectType, radians: float = 1.0) -> Drawn:
    """The objects of one image, with their masks where the project has some.

    Args:
        items: predictions on the image.
        object_type: what the project labels.
        radians: radians per unit of their angles.
    """
    return _of_boxes(items, radians) if object_type is ObjectType.DETECTION else _of_masks(items)


def read_regions(task: Task, image: Path) -> NDArray[np.bool_] | None:
    """`(H, W)` the pixels of a candidate that people should label; None if mining chose none of its regions."""
    file = task.output["root_dir"] / REGIONS_FOLDER / f"{image.name}.png"
    if not file.is_file():
        return None
    pixels = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    chosen: NDArray[np.bool_] = pixels > 0
    return chosen


def read_ranking(task: Task) -> list[tuple[Path, float]]:
    """The candidates with their mining scores, most valuable first."""
    paths = {path.stem: path for path in task.candidates}
    lines = task.output["mining_result_file"].read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line]
    return [(paths[Path(image).stem], float(score)) for image, score in rows]


def _of_boxes(items: Sequence[Item], radians: float) -> Drawn:
    boxes = [item["box"] for item in items]
    return Drawn(
        boxes=_corners([[box["x"], box["y"], box["w"], box["h"]] for box in boxes]),
        angles=radians * np.array([box.get("rotate_angle", 0.0) for box in boxes], np.float64),
        names=tuple(item["class_name"] for item in items),
        scores=np.array([item["score"] for item in items], np.float64),
    )


def _of_coco(document: dict[str, Any]) -> dict[str, list[Item]]:
    names = {category["id"]: category["name"] for category in document["categories"]}
    items: dict[Any, list[Item]] = {image["id"]: [] for image in document["images"]}
    for annotation in document["annotations"]:
        ours = {"class_name": names[annotation["category_id"]], "score": annotation.get("confidence")}
        items[annotation["image_id"]].append(annotation | ours)
    return {image["file_name"]: items[image["id"]] for image in document["images"]}


def _of_masks(items: Sequence[Item]) -> Drawn:
    scores = [item["score"] for item in items]
    texts = [item["segmentation"] for item in items]
    masks = [rle.decode(text["counts"].encode(), (text["size"][0], text["size"][1])) for text in texts]
    return Drawn(
        boxes=_corners([item["bbox"] for item in items]),
        angles=np.zeros(len(items)),
        names=tuple(item["class_name"] for item in items),
        scores=None if None in scores else np.array(scores, np.float64),
        masks=np.array(masks, np.bool_) if masks else np.zeros((0, 1, 1), np.bool_),
    )


def _corners(rows: list[list[int]]) -> NDArray[np.int64]:
    """`x, y, width, height` to corners."""
    boxes = np.array(rows, np.int64).reshape(-1, 4)
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
