"""A detector to measure with, made from nothing: no download, no training. Run as a script: `<path of the .pt file>`.

Random weights cost the same as trained ones in the forward pass, but a freshly initialised detector finds nothing, so
everything behind the forward pass would have nothing to do. Calibrated, it finds more than a trained one.
"""

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks.engine import CLASS_NAMES
from benchmarks.pictures import images
from common.yolo.offline import go_offline

go_offline()
from ultralytics.nn.tasks import DetectionModel  # noqa: E402  # only now does it keep quiet

MODEL: Final = "yolov5n"
SPREAD: Final = 2.0
"""Standard deviation of the class logits."""
CONFIDENCE: Final = 0.25
"""Least confidence of a detection: the default of the parameter `conf_thres`."""
CELLS: Final = 20
"""Predictions of an image that reach it, on the average, before non-maximum suppression."""


def write_checkpoint(path: Path) -> None:
    """Save the calibrated detector as ultralytics saves a trained one, as a `.pt` file."""
    torch.manual_seed(0)
    model = DetectionModel(f"{MODEL}.yaml", nc=len(CLASS_NAMES), verbose=False)
    model.names = dict(enumerate(CLASS_NAMES))
    pixels = np.stack([sample.image[..., ::-1] for sample in images(16)]).transpose(0, 3, 1, 2)
    with torch.no_grad():
        calibrate(model, torch.from_numpy(pixels / np.float32(255)))
    torch.save({"model": model.half(), "train_args": {}}, path)


def calibrate(model: Any, pixels: torch.Tensor) -> None:
    """Give random weights the statistics of a trained detector, in place.

    Args:
        model: an ultralytics detection model.
        pixels: `(B, 3, H, W)` float32 RGB in [0, 1].
    """
    _normalise(model, pixels)
    raw = model.eval()(pixels)[1]
    scales = raw["scores"].split([feature[0, 0].numel() for feature in raw["feats"]], dim=-1)
    level = [(scale.mean(), SPREAD / scale.std()) for scale in scales]
    alike = torch.cat([(scale - mean) * gain for scale, (mean, gain) in zip(scales, level, strict=True)], dim=-1)
    reached = alike.amax(1).topk(CELLS, dim=1).values[:, -1].mean()
    shift = torch.logit(torch.tensor(CONFIDENCE)) - reached
    for branch, (mean, gain) in zip(model.model[-1].cv3, level, strict=True):
        branch[-1].weight.mul_(gain)
        branch[-1].bias.sub_(mean).mul_(gain).add_(shift)


def _normalise(model: Any, pixels: torch.Tensor) -> None:
    """Let every batch normalisation take its statistics from `pixels`."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    model.train()(pixels)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


if __name__ == "__main__":
    write_checkpoint(Path(sys.argv[1]))
