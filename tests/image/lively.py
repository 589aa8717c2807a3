"""A detector that sees something different in every image, without hours of training."""

from collections.abc import Sequence
from pathlib import Path

import torch

from common.images.letterbox import letterbox
from common.yolo.names import detectors
from common.yolo.offline import quiet
from workbench.sample import Sample


def lively_detector(model: str, class_names: Sequence[str], samples: Sequence[Sample], path: Path) -> Path:
    """Save an ultralytics checkpoint with seeded random weights.

    Batch normalisation is calibrated on the samples, so that signals neither die out nor explode, and the class scores
    are spread over (0, 1).
    """
    quiet()
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    detector = DetectionModel(f"{detectors()[model]}.yaml", nc=len(class_names), verbose=False)
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
    torch.save({"model": detector, "train_args": {"imgsz": 64}}, path)
    return path
