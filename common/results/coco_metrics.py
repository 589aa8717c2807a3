"""COCO's metrics of boxes, by hotcoco: for upright ones the numbers of pycocotools, about 100 times faster."""

import contextlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from common.arrays import Doubles
from common.results.class_metrics import ClassMetrics, Evaluation
from common.results.training import unit

if TYPE_CHECKING:
    from hotcoco import COCO, COCOeval

MOST_ROTATED = 2000
"""Maximum number of rotated boxes per image, as in mmrotate's models: aerial images hold more than COCO's 100."""


def box_metrics(ground_truth: Path, detections: Doubles, *, recall: bool = False) -> Evaluation:
    """Compare detections with a COCO document.

    Args:
        ground_truth: the document.
        detections: `(n, 7)` rows of image id, x, y, width, height (pixels), score, category id.
        recall: also compute the average recall regardless of class.

    Returns:
        `mAP` at IoU 0.5 and `mAP50_95` averaged over IoU 0.5 to 0.95, at most 100 boxes per image; with `recall`, `mAR`
        over the same IoUs. In [0, 1]; 0 if there is nothing to find.
    """
    evaluated = evaluate(ground_truth, detections)
    precision = evaluated.get_results()
    metrics = {"mAP": unit(precision["AP50"]), "mAP50_95": unit(precision["AP"])}
    if recall:
        metrics["mAR"] = unit(evaluate(ground_truth, detections, by_class=False).get_results()["AR100"])
    return Evaluation(metrics, classes_of(evaluated))


def rotated_box_metrics(ground_truth: Path, detections: Doubles) -> Evaluation:
    """Compare rotated detections with a COCO document whose annotations have `obb`, see `coco_writer`.

    Like `box_metrics`, but with the IoU of the rotated boxes.

    Args:
        ground_truth: the document.
        detections: `(n, 8)` rows of image id, cx, cy, width, height (pixels), angle (radians, clockwise on the
            screen), score, category id.

    Returns:
        `mAP` at IoU 0.5, `mAP75` at 0.75 and `mAP50_95` averaged over IoU 0.5 to 0.95. In [0, 1]; 0 if there is nothing
        to find.
    """
    found: list[dict[str, object]] = [
        {"image_id": int(row[0]), "category_id": int(row[7]), "obb": row[1:6], "score": row[6]}
        for row in detections.tolist()
    ]
    evaluated = evaluate(ground_truth, found, "obb", most=MOST_ROTATED)
    precision = evaluated.get_results()
    metrics = {"mAP": unit(precision["AP50"]), "mAP75": unit(precision["AP75"]), "mAP50_95": unit(precision["AP"])}
    return Evaluation(metrics, classes_of(evaluated))


def evaluate(
    ground_truth: Path,
    detections: Doubles | list[dict[str, object]],
    kind: Literal["bbox", "obb"] = "bbox",
    *,
    by_class: bool = True,
    most: int = 100,
) -> "COCOeval":
    """Run hotcoco. Its metrics are -1 if there is nothing to find.

    Args:
        ground_truth: the document.
        detections: argument of `COCO.load_res`.
        kind: kind of boxes: upright or rotated.
        by_class: whether a detection must have the class of the object.
        most: maximum number of detections per image.
    """
    from hotcoco import COCO, COCOeval

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of all settings that no leaderboard uses
        truth = COCO(str(ground_truth))
        evaluation = COCOeval(truth, truth.load_res(detections), kind)
        evaluation.params.use_cats = by_class
        evaluation.params.max_dets = [1, 10, most]
        evaluation.run()
    return evaluation


def classes_of(evaluation: "COCOeval") -> tuple[ClassMetrics, ...]:
    """Average precision of each class at IoU 0.5, and from 0.5 to 0.95; crowds do not count as objects."""
    truth, ids = evaluation.coco_gt, evaluation.params.cat_ids
    found = evaluation.eval
    assert found is not None  # `evaluate` has run it
    # Axes: IoU, recall, class, range of areas, limit of detections. All areas come first, the highest limit last.
    precision = found["precision"][:, :, :, 0, -1]
    at50, mean = precision[0].mean(axis=0).tolist(), precision.mean(axis=(0, 1)).tolist()
    return tuple(
        ClassMetrics(category["name"], _measured(first), _measured(second), _objects(truth, category["id"]))
        for category, first, second in zip(truth.load_cats(ids), at50, mean, strict=True)
    )


def _measured(value: float) -> float | None:
    return None if value < 0 else unit(value)


def _objects(truth: "COCO", category: int) -> int:
    return len(truth.get_ann_ids(cat_ids=[category], iscrowd=False))
