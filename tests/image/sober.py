"""Lively models that can be compared with another implementation, box by box."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lively import lively_detector, scores_of

from common.images.letterbox import stretch
from common.yolo.checkpoint import read_weights
from workbench.sample import Sample

CELLS = 2
"""About so many cells from the centre of a box to its sides, where the head has bins."""

MOST = 6.0
"""The logits of the scores are up to this."""


def with_activation(name: str, model: torch.nn.Module) -> torch.nn.Module:
    """The model with another activation than SiLU."""
    for module in model.modules():
        if isinstance(getattr(module, "act", None), torch.nn.SiLU):
            module.act = getattr(torch.nn, name)()
    return model


def most_of(head: Any, raw: dict[str, Any]) -> torch.Tensor:
    """The largest logit of a score."""
    if hasattr(head, "sizes"):
        return torch.stack([scale[:, :, 4 : 5 + head.nc].abs().max() for scale in raw["scales"]]).max()
    return raw.get("one2many", raw)["scores"].abs().max()


@torch.no_grad()
def sober_detector(
    model: str, class_names: Sequence[str], samples: Sequence[Sample], path: Path, activation: str = "SiLU"
) -> Path:
    """Save a lively model whose boxes are small, and whose scores are not so close to 1 that they are all equal."""
    lively_detector(model, class_names, samples, path)
    detector = with_activation(activation, read_weights(path)).eval()
    head = detector.model[-1]
    pixels = np.stack([stretch(sample.image, 64).pixels for sample in samples])[:, :, :, ::-1].copy()
    raw = detector(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255)[1]
    most = most_of(head, raw)
    for weight, bias in scores_of(head):
        weight *= MOST / most
        bias.fill_(0)
    if hasattr(head, "sizes"):
        head.sizes.copy_(2 * CELLS * head.stride.view(-1, 1, 1) * torch.tensor([0.8, 1.0, 1.2]).view(1, -1, 1))
    elif head.reg_max > 1:
        for boxes in head.cv2:
            boxes[-1].bias.view(4, head.reg_max)[:, CELLS] += 10
    torch.save({"model": detector, "train_args": {"imgsz": 64}}, path)
    return path
