"""Computes maps of class probabilities from the output of a dense head, for ALDD.

There is one map per scale, as `predictions.Prediction` wants it and as detectors without anchors give it. Where a cell
has several anchors it holds the largest probability of any: how sure the detector is of the class there, whatever the
shape. (The predecessors took the map of each anchor on its own. With the nine anchors of RetinaNet that is nine times
the work, and the score would grow with the number of anchors.)
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from common.mmlab.model.heads import is_a

if TYPE_CHECKING:
    from mmengine.model import BaseModule

PROBABILITIES = ("TOODHead", "CenterNetHead")
"""Heads whose outputs are probabilities already."""


def class_maps(head: "BaseModule", outputs: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Probability of each class at each cell of each scale.

    Args:
        head: see `heads.dense_head`.
        outputs: of its `forward`; lists with one `(B, channels, h, w)` tensor per scale. The first list is about
            classes; the third (after the angles, where these have their own) is the objectness, centerness or IoU that
            the class scores are multiplied with, if it has one channel per anchor.

    Returns:
        One `(B, K, h, w)` float32 tensor per scale, values in [0, 1].
    """
    if is_a(head, "YOLOV3Head"):
        return [_joint(scale, head) for scale in outputs[0]]
    third = 3 if hasattr(head, "angle_coder") else 2
    factors = outputs[third] if len(outputs) > third else [None] * len(outputs[0])
    return [_separate(scores, factor, head) for scores, factor in zip(outputs[0], factors, strict=True)]


def _joint(scale: Tensor, head: "BaseModule") -> Tensor:
    """Class map of YOLOv3, whose channels are a box, the objectness and the classes of each anchor."""
    anchors = torch.unflatten(scale.float(), 1, (-1, 5 + int(head.num_classes))).sigmoid()
    return (anchors[:, :, 5:] * anchors[:, :, 4:5]).amax(dim=1)


def _separate(scores: Tensor, factor: Tensor | None, head: "BaseModule") -> Tensor:
    channels = int(getattr(head, "cls_out_channels", head.num_classes))
    anchors = _activate(torch.unflatten(scores.float(), 1, (-1, channels)), head)
    if isinstance(factor, Tensor) and factor.shape[1] == anchors.shape[1]:
        anchors = anchors * factor.float().sigmoid().unsqueeze(2)
    return anchors.amax(dim=1)


def _activate(anchors: Tensor, head: "BaseModule") -> Tensor:
    """Turn scores `(B, anchors, channels, h, w)` into probabilities of K classes; a background is the last channel."""
    if is_a(head, *PROBABILITIES):
        return anchors
    if getattr(head, "use_sigmoid_cls", True):
        return anchors.sigmoid()
    return torch.softmax(anchors, dim=2)[:, :, :-1]
