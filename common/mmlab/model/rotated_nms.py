"""Non-maximum suppression of rotated boxes, for the boxes of several tiles of an image."""

import numpy as np
import torch
from mmengine.config import ConfigDict
from torch import Tensor

from common.mmlab.model.thresholds import final_step
from common.predictions import Detections

NMS_IOU = 0.1
"""IoU threshold of the NMS in nearly all of mmrotate's models."""


def nms_iou(model: ConfigDict) -> float:
    """IoU threshold with which a model suppresses boxes."""
    return float(final_step(model).get("nms", {}).get("iou_threshold", NMS_IOU))


def suppress(detections: Detections, threshold: float) -> Detections:
    """Keep the surest of the rotated boxes of a class that overlap by more than the IoU `threshold`."""
    from mmcv.ops import batched_nms

    if not len(detections):  # mmcv's operator fails without boxes
        return detections
    boxes, scores = torch.from_numpy(detections.boxes), torch.from_numpy(detections.scores)
    classes, settings = torch.from_numpy(detections.classes), {"type": "nms_rotated", "iou_threshold": threshold}
    kept: Tensor = batched_nms(boxes, scores, classes, settings)[1]
    return detections.take(np.sort(kept.numpy()))
