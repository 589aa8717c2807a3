"""Reads weights files: ours, those of other OpenMMLab tools, and those of the predecessors of these images."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn

from common.errors import ModelError
from common.files import replacing
from common.mmlab.fit.stored_config import read_stored, stored
from common.mmlab.patches.safe_load import read_checkpoint
from common.weights.given import report

log = logging.getLogger(__name__)

UNUSED = ".num_batches_tracked"
"""End of the names of tensors that no prediction depends on, and that old files do not have."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Content of a weights file.

    Attributes:
        path: the file.
        state_dict: tensors on the CPU, by the names of the model's own `state_dict`.
        config: of the training; None where neither the file nor one beside it has it.
        class_names: position = class index; empty where the file does not list them.
        model: key of the configuration in `catalogue.config_files`; empty for files that are not ours.
    """

    path: Path
    state_dict: Mapping[str, Tensor]
    config: Config | None
    class_names: tuple[str, ...]
    model: str


def write_weights(
    path: Path, state_dict: Mapping[str, Tensor], *, config: Config, class_names: Sequence[str], model: str
) -> None:
    """Write the weights of a model in one step. `torch.load` needs no classes to read them.

    `meta.cfg` (text) and `meta.dataset_meta` are where mmengine keeps them, so that its tools read the file too.
    `meta.ymir_config` is the same configuration as data, which is what `read_weights` reads.
    """
    meta = {
        "cfg": config.pretty_text,
        "dataset_meta": {"classes": list(class_names)},
        "ymir_config": stored(config),
        "ymir_model": model,
    }
    tensors = {name: tensor.detach().cpu() for name, tensor in state_dict.items()}
    with replacing(path) as handle:
        torch.save({"state_dict": tensors, "meta": meta}, handle)


def read_weights(path: Path, beside: Sequence[Path] = ()) -> Weights:
    """Read a weights file: a checkpoint of mmengine or mmcv, or a bare state dict.

    A checkpoint of a training with an averaged model (EMA) holds the average as its `state_dict`; that one is read.

    Args:
        path: of the file.
        beside: the other files of the same model. A `.py` among them is the configuration, if the weights have none.

    Raises:
        ModelError: it is not a weights file, is damaged, would run something, or its configuration is not data.
    """
    content = _load(path)
    meta = content.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    return Weights(path, _tensors(path, content), _config(path, meta, beside), _class_names(meta), _model(meta))


def load_into(model: nn.Module, weights: Weights) -> None:
    """Copy the tensors whose name and shape are equal, and log what was and was not used.

    Raises:
        ModelError: no tensor fits.
    """
    own = model.state_dict()
    matched = {name: tensor for name, tensor in weights.state_dict.items() if _fits(tensor, own.get(name))}
    report(weights.path, own, weights.state_dict, matched)
    if not matched:
        raise ModelError(f"{weights.path}: none of its {len(weights.state_dict)} tensors fits the model")
    model.load_state_dict(matched, strict=False)


def load_all_into(model: nn.Module, weights: Weights) -> None:
    """Copy the tensors into a model that must be complete.

    Raises:
        ModelError: a tensor is missing or has another shape.
    """
    lacking = [
        name
        for name, tensor in model.state_dict().items()
        if not name.endswith(UNUSED) and not _fits(weights.state_dict.get(name), tensor)
    ]
    if lacking:
        first = ", ".join(lacking[:3]) + (", ..." if len(lacking) > 3 else "")
        raise ModelError(f"{weights.path}: {len(lacking)} tensors are missing or of another shape: {first}")
    load_into(model, weights)


def _fits(first: Tensor | None, second: Tensor | None) -> bool:
    return first is not None and second is not None and first.shape == second.shape


def _load(path: Path) -> Mapping[str, object]:
    content = read_checkpoint(path)
    if not isinstance(content, Mapping):
        raise ModelError(f"{path}: not a checkpoint: expected a dictionary, found {type(content).__name__}")
    return content


def _tensors(path: Path, content: Mapping[str, object]) -> dict[str, Tensor]:
    """Tensors of a checkpoint, or of a dictionary of tensors only. `module.` comes from DataParallel."""
    given = content.get("state_dict", content)
    named = given.items() if isinstance(given, Mapping) else ()
    tensors = {str(name).removeprefix("module."): value for name, value in named if isinstance(value, Tensor)}
    if not tensors:
        keys = ", ".join(map(str, list(content)[:5])) or "nothing"
        raise ModelError(f"{path}: not a checkpoint: it has no state_dict with tensors (found {keys})")
    return tensors


def _config(path: Path, meta: Mapping[str, Any], beside: Sequence[Path]) -> Config | None:
    """Configuration in a file: as data in ours, as text in others, or else as text beside it. Nothing of it is run."""
    content = meta.get("ymir_config") or meta.get("cfg")
    files = [file for file in beside if file.suffix == ".py"]
    source = path if content else next(iter(files), None)
    if source is None:
        return None
    try:
        return read_stored(content or source.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ModelError(f"{source}: its configuration cannot be read: {_first_line(error)}") from error


def _class_names(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """`meta.dataset_meta.classes`; capitals in old versions; without `dataset_meta` before mmengine."""
    data = meta.get("dataset_meta") or meta
    names = data.get("classes") or data.get("CLASSES") or ()
    return (names,) if isinstance(names, str) else tuple(map(str, names))


def _model(meta: Mapping[str, Any]) -> str:
    return str(meta.get("ymir_model", ""))


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
