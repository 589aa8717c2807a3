"""Models that see something different in every image, without hours of training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from common.images.letterbox import letterbox
from common.yolo.names import is_anchored, segmenters
from common.yolo.offline import go_offline
from common.yolo.starting_point import configuration
from common.yolo.tasks import DETECT, SEGMENT
from workbench.sample import Sample


def build(model: str, class_count: int) -> Any:
    """An ultralytics model of detection or of instance segmentation with seeded random weights."""
    go_offline()
    from ultralytics.nn.tasks import DetectionModel, SegmentationModel

    from common.yolo.anchored.model import AnchoredModel

    torch.manual_seed(0)
    kind = SegmentationModel if model in segmenters() else DetectionModel
    return (AnchoredModel if is_anchored(model) else kind)(configuration(model), nc=class_count, verbose=False)


def scores_of(head: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Weights and biases of the outputs of a head that are scores, one after the other, for each scale."""
    if not hasattr(head, "sizes"):
        return [(branch[-1].weight, branch[-1].bias) for branch in head.cv3]
    rows = slice(4, 5 + head.nc)
    by_anchor = [(layer.weight.view(head.na, head.no, -1), layer.bias.view(head.na, head.no)) for layer in head.m]
    return [(weight[:, rows], bias[:, rows]) for weight, bias in by_anchor]


def balance_masks(detector: Any, batch: torch.Tensor) -> None:
    """Let the coefficients of an anchored model be 0 on the average: some pixels are then of an object, others not."""
    head = detector.model[-1]
    for layer, scale in zip(head.m, detector(batch)[1]["scales"], strict=True):
        layer.bias.view(head.na, head.no)[:, 5 + head.nc :] -= scale[:, :, 5 + head.nc :].mean((0, 3, 4))


def lively_detector(model: str, class_names: Sequence[str], samples: Sequence[Sample], path: Path) -> Path:
    """Save an ultralytics checkpoint with seeded random weights.

    Batch normalisation is calibrated on the samples, so that signals neither die out nor explode, and the class scores
    are spread over (0, 1).
    """
    detector = build(model, len(class_names))
    detector.names = dict(enumerate(class_names))
    images = [
        letterbox(sample.image, 64, 64).pixels for sample in samples if sample.image.shape[0] == sample.image.shape[1]
    ]
    batch = torch.stack([torch.from_numpy(image) for image in images]).permute(0, 3, 1, 2).float() / 255
    for module in detector.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    detector.train()
    with torch.no_grad():
        detector(batch)
        for weight, bias in scores_of(detector.model[-1]):
            weight *= 25
            bias.fill_(-3.0)
        detector.eval()
        if is_anchored(model) and model in segmenters():
            balance_masks(detector, batch)
    task = SEGMENT if model in segmenters() else DETECT
    torch.save({"model": detector, "train_args": {"imgsz": 64, "task": task}}, path)
    return path
