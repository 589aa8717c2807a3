"""Models that see something different in every image, without hours of training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from common.images.letterbox import letterbox
from common.yolo.names import segmenters
from common.yolo.offline import go_offline
from common.yolo.starting_point import configuration
from common.yolo.tasks import DETECT, SEGMENT
from workbench.sample import Sample


def build(model: str, class_count: int) -> Any:
    """An ultralytics model of detection or of instance segmentation with seeded random weights."""
    go_offline()
    from ultralytics.nn.tasks import DetectionModel, SegmentationModel

    torch.manual_seed(0)
    kind = SegmentationModel if model in segmenters() else DetectionModel
    return kind(configuration(model), nc=class_count, verbose=False)


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
        for branch in detector.model[-1].cv3:
            branch[-1].weight *= 25
            branch[-1].bias.fill_(-3.0)
    detector.eval()
    task = SEGMENT if model in segmenters() else DETECT
    torch.save({"model": detector, "train_args": {"imgsz": 64, "task": task}}, path)
    return path
