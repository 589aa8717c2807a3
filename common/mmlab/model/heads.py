"""Finds the heads of a detector of mmdet or mmyolo, and their kinds by their base classes."""

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from mmengine.model import BaseModule

DENSE = {"AnchorHead", "AnchorFreeHead", "CenterNetHead", "SABLRetinaHead", "YOLOV3Head", "YOLOXHead", "YOLOv5Head"}
"""Base classes of heads that classify every cell of every scale. All of mmyolo's derive from the last."""


def is_a(head: nn.Module, *names: str) -> bool:
    """Check if a module is of a class of one of these names. By name, as an image has only one of the packages."""
    return any(base.__name__ in names for base in type(head).__mro__)


def dense_head(model: nn.Module) -> "BaseModule | None":
    """The head of a one-stage detector that classifies every cell, or None."""
    head = _box_head(model)
    return head if head is not None and is_a(head, *DENSE) else None


def last_head(model: nn.Module) -> "BaseModule | None":
    """The module that gives the final boxes: of a cascade the last stage. None for a detector of an unknown kind."""
    roi_head = getattr(model, "roi_head", None)
    return _box_head(model if roi_head is None else roi_head)


def _box_head(owner: nn.Module) -> "BaseModule | None":
    """The head of a model or of its second stage; of a cascade, or of a head that is refined, the last one."""
    head = getattr(owner, "bbox_head_refine", getattr(owner, "bbox_head", None))
    return head[-1] if isinstance(head, nn.ModuleList) else head


def class_count(model: nn.Module) -> int | None:
    """Number of classes of a detector, or None where its head does not know it."""
    count = getattr(last_head(model), "num_classes", None)
    return None if count is None else int(count)
