"""A detector of torchvision as a file: its name, its classes, its tensors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision.models import get_model

from common.errors import ModelError
from common.files import replacing
from common.weights.given import report

NORM_MOMENTUM = 0.1
"""torchvision has 0.03, for thousands of steps per epoch; with few, the averages would stay those of the start."""


def build(name: str, class_count: int) -> Any:
    """A detector with random weights. Class 0 of torchvision is the background. Nothing is downloaded."""
    model = get_model(name, weights=None, weights_backbone=None, num_classes=class_count + 1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = NORM_MOMENTUM
    return model


def save(path: Path, model: Any, name: str, class_names: Sequence[str], **more: Any) -> None:
    """Write the file in one step."""
    with replacing(path) as handle:
        torch.save({"name": name, "class_names": list(class_names), "model": model.state_dict(), **more}, handle)


def read(path: Path) -> dict[str, Any]:
    """The content of a file of weights.

    Raises:
        ModelError: it is none.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever pickle, zip and torch make of another file
        raise ModelError(f"{path}: cannot be read; expected weights of torchvision or of this image") from error
    return content


def trained(path: Path) -> tuple[Any, tuple[str, ...]]:
    """The model of a training of this image, and its class names.

    Raises:
        ModelError: the file is of no such training.
    """
    content = read(path)
    if not {"name", "class_names", "model"} <= content.keys():
        raise ModelError(f"{path}: no weights of det-torchvision-tmi (it has {', '.join(sorted(content)[:5])}, ...)")
    model = build(content["name"], len(content["class_names"]))
    model.load_state_dict(content["model"])
    return model, tuple(content["class_names"])


def take(model: Any, path: Path) -> None:
    """Give a model those tensors of a file, ours or torchvision's, that it has in the same shape."""
    content = read(path)
    given, own = content.get("model", content), model.state_dict()
    fitting = {key: value for key, value in given.items() if key in own and own[key].shape == value.shape}
    report(path, own, given, fitting)
    model.load_state_dict(fitting, strict=False)
