"""Reads the pickles of ultralytics as data: the only way in which a task reads a `.pt`, given or its own.

ultralytics itself unpickles without restriction, and builds models from text in the file by `eval`. See
`common.weights.pickles` for what a file may hold; beside that, layers and models of ultralytics.
"""

import importlib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from common.errors import ModelError
from common.weights.pickles import layers_of, load, torch_layers

LAYERS = ("ultralytics.nn.modules", "ultralytics.nn.tasks", "common.yolo")
"""Packages whose layers a file may hold."""

LOSSES = ("ultralytics.utils.loss.", "ultralytics.utils.tal.")
"""Beginnings of the names of losses, which training states of others have; they become empty shells."""

NETWORKED = frozenset({"TorchVision", "torchvision"})
"""Layers that an architecture must not name, because making one downloads it."""


def read(path: Path) -> dict[str, Any]:
    """Read a checkpoint of ultralytics.

    Raises:
        ModelError: the file is damaged, is not such a checkpoint, or would run something; the message names it.
    """
    importlib.import_module("common.yolo.anchored.model")  # layers are found in modules that are loaded
    content = load(path, classes=[torch_layers, layers_of(*LAYERS), _renamed, _records], shells=LOSSES)
    if not isinstance(content, dict):
        raise ModelError(f"{path}: not a checkpoint of ultralytics: expected a dictionary")
    if content.get("modelopt"):
        raise ModelError(f"{path}: refused: its quantisation is the state of another program (modelopt)")
    for name in ("ema", "model"):
        model = content.get(name)
        if model is not None:
            _check_architecture(path, getattr(model, "yaml", None))
            model.__dict__["criterion"] = None  # past nn.Module's __setattr__, which the file has not initialised
    return content


def restrict() -> None:
    """Make ultralytics, once imported, read its files by `read` and build architectures without `eval`."""
    from ultralytics.nn import tasks
    from ultralytics.utils import patches, torch_utils

    tasks.torch_safe_load = _safe_load
    tasks.SAFE_LOAD = True  # names in an architecture mean layers only, and activations are not evaluated
    for module in (tasks, torch_utils, patches):
        module.torch_load = _load


def _safe_load(weight: str | PathLike[str], safe_only: bool | None = None) -> tuple[dict[str, Any], str]:
    return read(Path(weight)), str(weight)


def _load(file: str | PathLike[str], *_arguments: object, **_options: object) -> dict[str, Any]:
    return read(Path(file))


def _renamed(module: str, name: str) -> type | None:
    """Classes that have another name today, or none because they did nothing."""
    from torch import nn
    from ultralytics.nn.tasks import DetectionModel

    return {
        "ultralytics.nn.modules.block.Silence": nn.Identity,
        "ultralytics.nn.tasks.YOLOv10DetectionModel": DetectionModel,
    }.get(f"{module}.{name}")


def _records(module: str, name: str) -> type | None:
    """Arguments of a training, which have attributes only."""
    from ultralytics.utils import IterableSimpleNamespace

    known = ("ultralytics.utils", "ultralytics.yolo.utils")
    return IterableSimpleNamespace if module in known and name == "IterableSimpleNamespace" else None


def _check_architecture(path: Path, architecture: object) -> None:
    """Refuse an architecture whose layers would be downloaded when it is built again.

    Raises:
        ModelError: it names one.
    """
    if not isinstance(architecture, Mapping):
        return
    for part in ("backbone", "head"):
        rows = architecture.get(part)
        for row in rows if isinstance(rows, list | tuple) else ():
            name = row[2] if isinstance(row, list | tuple) and len(row) > 2 else ""
            if str(name).partition(".")[0] in NETWORKED:
                raise ModelError(f"{path}: refused: its architecture names {name}, which would be downloaded")
