"""Computes the platform's metrics while OpenMMLab validates."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS
from torch import Tensor

from common.arrays import Doubles
from common.mmlab.rotated_boxes import rotated_boxes
from common.results.class_metrics import ClassMetrics, Evaluation
from common.results.coco_metrics import box_metrics, rotated_box_metrics

if TYPE_CHECKING:
    from mmdet.structures.bbox import BaseBoxes


class Found(TypedDict):
    """Detections of one image; rotated boxes come in several kinds."""

    bboxes: "BaseBoxes | Tensor"
    scores: Tensor
    labels: Tensor


class Sample(TypedDict):
    """The entries that are read of the result for one image.

    Attributes:
        img_id: of the image in the COCO document.
        pred_instances: detections of the model.
    """

    img_id: int
    pred_instances: Found


class MetricByClass(BaseMetric):  # type: ignore[misc]  # mmengine is untyped
    """A metric that keeps its values by class for the reporter, because mmengine passes on the others only.

    Attributes:
        classes: the metrics by class of the last validation, on rank 0.
    """

    classes: tuple[ClassMetrics, ...] = ()

    def keep(self, evaluation: Evaluation) -> dict[str, float]:
        """Return the metrics for mmengine; those by class stay here."""
        self.classes = evaluation.classes
        return evaluation.metrics


@METRICS.register_module()
class BoxMetric(MetricByClass):
    """Average precision (and recall) of boxes.

    Args:
        ground_truth: path of the COCO document of the validation set.
        recall: also compute `mAR`.
        collect_dir: folder where ranks leave their part for rank 0.
    """

    def __init__(self, ground_truth: str, recall: bool, collect_dir: str | None = None) -> None:
        super().__init__(collect_device="cpu", collect_dir=collect_dir)
        self._ground_truth = Path(ground_truth)
        self._recall = recall

    def process(self, data_batch: object, data_samples: Sequence[Sample]) -> None:
        """Keep the detections of a batch, in pixels of the original images."""
        self.results += [_rows(sample["img_id"], sample["pred_instances"]) for sample in data_samples]

    def compute_metrics(self, results: Sequence[Doubles]) -> dict[str, float]:
        """See `results.coco_metrics.box_metrics`."""
        found = np.concatenate([np.zeros((0, 7)), *results])
        return self.keep(box_metrics(self._ground_truth, found, recall=self._recall))


@METRICS.register_module()
class RotatedBoxMetric(MetricByClass):
    """Average precision of rotated boxes.

    Args:
        ground_truth: path of the COCO document of the validation set.
        collect_dir: folder where ranks leave their part for rank 0.
    """

    def __init__(self, ground_truth: str, collect_dir: str | None = None) -> None:
        super().__init__(collect_device="cpu", collect_dir=collect_dir)
        self._ground_truth = Path(ground_truth)

    def process(self, data_batch: object, data_samples: Sequence[Sample]) -> None:
        """Keep the detections of a batch, in pixels of the original images."""
        self.results += [_rotated_rows(sample["img_id"], sample["pred_instances"]) for sample in data_samples]

    def compute_metrics(self, results: Sequence[Doubles]) -> dict[str, float]:
        """See `results.coco_metrics.rotated_box_metrics`."""
        return self.keep(rotated_box_metrics(self._ground_truth, np.concatenate([np.zeros((0, 8)), *results])))


def _rotated_rows(image_id: int, found: Found) -> Doubles:
    """`(n, 8)`: image id, cx, cy, width, height, angle in radians, score, class index (which is the category id)."""
    boxes = rotated_boxes(found["bboxes"]).double().cpu()
    scores, classes = found["scores"].double().cpu(), found["labels"].double().cpu()
    ids = np.full((len(scores), 1), image_id, np.float64)
    return np.hstack([ids, boxes, scores[:, None], classes[:, None]])


def _rows(image_id: int, found: Found) -> Doubles:
    """`(n, 7)`: image id, x, y, width, height, score, class index (which is the category id)."""
    low, high = found["bboxes"].double().cpu().split(2, dim=1)
    scores, classes = found["scores"].double().cpu(), found["labels"].double().cpu()
    ids = np.full((len(scores), 1), image_id, np.float64)
    return np.hstack([ids, low, high - low, scores[:, None], classes[:, None]])
