"""Reads and suppresses the boxes of mmrotate's detectors."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from mmengine.config import ConfigDict
from torch import Tensor

from common.mmlab.model.thresholds import final_step
from common.predictions import Detections

if TYPE_CHECKING:
    from mmdet.structures.bbox import BaseBoxes

NMS_IOU = 0.1
"""IoU threshold of the NMS in nearly all of mmrotate's models."""


def rotated_boxes(boxes: "BaseBoxes | Tensor") -> Tensor:
    """Turn boxes of any kind into `(n, 5)` rows `cx, cy, w, h, angle` in radians.

    Args:
        boxes: box objects of mmrotate, or a tensor with 5 numbers per box, or 8: corners, which give the smallest
            rectangle around them.
    """
    from mmrotate.structures.bbox import QuadriBoxes, RotatedBoxes

    if isinstance(boxes, Tensor):
        boxes = (RotatedBoxes if boxes.shape[-1] == RotatedBoxes.box_dim else QuadriBoxes)(boxes)
    tensor: Tensor = boxes.convert_to("rbox").tensor
    return tensor


def nms_iou(model: ConfigDict) -> float:
    """IoU threshold with which a model suppresses boxes."""
    return float(final_step(model).get("nms", {}).get("iou_threshold", NMS_IOU))


def suppress(detections: Detections, threshold: float) -> Detections:
    """Keep the surest of the rotated boxes of a class that overlap by more than the IoU `threshold` (NMS)."""
    from mmcv.ops import batched_nms

    if not len(detections):  # mmcv's operator fails without boxes
        return detections
    boxes, scores = torch.from_numpy(detections.boxes), torch.from_numpy(detections.scores)
    classes, settings = torch.from_numpy(detections.classes), {"type": "nms_rotated", "iou_threshold": threshold}
    kept: Tensor = batched_nms(boxes, scores, classes, settings)[1]
    return detections.take(np.sort(kept.numpy()))
