"""Checkpoints of the yolov5 repository, v5 to v7, as models of this package.

Such a file is a pickle of the repository's classes. They are read as shells without code (see
`common.weights.pickles`), from which the architecture, the tensors and the names of the classes are taken. What is
read: `ema`, else `model`, of Model, DetectionModel or SegmentationModel; the rows of `yaml`; the anchors, stored in
cells of their scale (YOLOv5 v7.0, `Detect` and `parse_model` of models/yolo.py).
"""

import logging
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from itertools import chain
from pathlib import Path
from typing import Any, Final

import torch
from ultralytics.cfg import DEFAULT_CFG_DICT

from common.errors import ModelError
from common.weights.pickles import Shell, load, torch_layers
from common.yolo.anchored.model import DETECT, SEGMENT, AnchoredModel
from common.yolo.params import ACTIVATIONS
from common.yolo.tasks import DETECT as DETECT_TASK
from common.yolo.tasks import SEGMENT as SEGMENT_TASK

log = logging.getLogger(__name__)

_SHELLS: Final = ("models.", "utils.")
"""Packages of the repository."""

_MARKS: Final = (b"cmodels.yolo\n", b"\x0bmodels.yolo")
"""The name of the module of the repository's models in a pickle, of old protocols and of new ones."""

_NETWORKS: Final = ("Model", "DetectionModel", "SegmentationModel")

_LETTERS: Final = {(0.33, 0.25): "n", (0.33, 0.5): "s", (0.67, 0.75): "m", (1.0, 1.0): "l", (1.33, 1.25): "x"}
"""Letters of the models by depth and width."""

_P6_SCALES: Final = 4


def is_yolov5(path: Path) -> bool:
    """Tell whether a file is a checkpoint of the yolov5 repository. Nothing of it is unpickled."""
    if not zipfile.is_zipfile(path):
        content = path.read_bytes() if path.is_file() else b""
        return any(mark in content for mark in _MARKS)
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        pickles = [info for info in archive.infolist() if info.filename.endswith("/data.pkl")]
        stored = [archive.read(info) for info in pickles if info.compress_type == zipfile.ZIP_STORED]
        return any(mark in content for content in stored for mark in _MARKS)
    return False


def load_yolov5(path: Path) -> AnchoredModel:
    """The model in a checkpoint of the yolov5 repository, in single precision.

    Raises:
        ModelError: the file would run something, is damaged, or holds another model than a detector or a model of
            instance segmentation made of YOLOv5's layers.
    """
    network = _network(path, load(path, classes=[torch_layers], shells=_SHELLS))
    try:
        model = _rebuilt(network)
    except ModelError:
        raise
    except Exception as error:  # whatever the attributes of a damaged or odd file lead to
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ModelError(f"{path}: its YOLOv5 cannot be built again: {reason[:300]}") from error
    model.args = {**DEFAULT_CFG_DICT, "task": model.task}
    model.pt_path = str(path)
    known = Path(model.yaml["yaml_file"]).stem
    log.info("YOLOv5 %s checkpoint: %s, %d classes", _version(network), known, len(model.names))
    return model


def _network(path: Path, content: Any) -> Any:
    """The shell of the model in a checkpoint."""
    found = content
    if isinstance(content, Mapping):
        found = content["ema"] if content.get("ema") is not None else content.get("model")
    name = f"{type(found).__module__}.{type(found).__qualname__}"
    if not isinstance(found, Shell) or name.removeprefix("models.yolo.") not in _NETWORKS:
        raise ModelError(
            f"{path}: holds {name}; of the yolov5 repository, detection and instance segmentation are taken"
        )
    return found


def _rebuilt(network: Any) -> AnchoredModel:
    head = network.model[-1]
    sizes = head.anchors.float() * head.stride.float().view(-1, 1, 1)
    masks = type(head).__name__ == "Segment"
    model = AnchoredModel(_configuration(network, head, sizes, masks=masks), ch=int(network.yaml.get("ch", 3)))
    place = f"model.{model.model[-1].i}."
    tensors = {name: tensor.float() for name, tensor in _tensors(network) if name.startswith("model.")}
    for name in ("anchors", "anchor_grid"):
        tensors.pop(place + name, None)
    model.load_state_dict(tensors | {f"{place}sizes": sizes})
    _check_activations(network, model)
    model.names = _names(network.names, int(model.yaml["nc"]))
    model.task = SEGMENT_TASK if masks else DETECT_TASK
    model.eval()
    return model


def _configuration(network: Any, head: Any, sizes: torch.Tensor, *, masks: bool) -> dict[str, Any]:
    """Translate the configuration of the repository's model into that of an `AnchoredModel`."""
    given: dict[str, Any] = network.yaml
    inputs, _, _, arguments = given["head"][-1]
    depth, width = float(given["depth_multiple"]), float(given["width_multiple"])
    last = [SEGMENT, ["nc", int(arguments[2]), int(arguments[3]), "anchors"]] if masks else [DETECT, ["nc", "anchors"]]
    letter = _LETTERS.get((depth, width))
    stem = f"yolov5{letter}{'6' if len(sizes) == _P6_SCALES else ''}" if letter else "yolov5-custom"
    return {
        "nc": int(head.nc),
        "depth_multiple": depth,
        "width_multiple": width,
        "activation": _activation(network),
        "anchors": sizes.flatten(1).tolist(),
        "backbone": deepcopy(given["backbone"]),
        "head": [*deepcopy(given["head"][:-1]), [list(inputs), 1, *last]],
        "yaml_file": f"{stem}-seg.yaml" if masks else f"{stem}.yaml",
    }


def _tensors(network: torch.nn.Module) -> chain[tuple[str, torch.Tensor]]:
    return chain(network.named_parameters(remove_duplicate=False), network.named_buffers(remove_duplicate=False))


def _activations(module: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """Activations by the names of their layers."""
    return {
        name: layer.act
        for name, layer in module.named_modules()
        if isinstance(getattr(layer, "act", None), torch.nn.Module)
    }


def _activation(network: Any) -> str:
    """The activation of most layers, as a configuration says it.

    Raises:
        ModelError: it is none of `ACTIVATIONS`.
    """
    kinds = Counter(_written(act) for act in _activations(network).values() if not isinstance(act, torch.nn.Identity))
    return kinds.most_common(1)[0][0] if kinds else "torch.nn.SiLU()"


def _written(act: torch.nn.Module) -> str:
    name = type(act).__name__
    if name not in ACTIVATIONS:
        raise ModelError(f"its activation {type(act).__module__}.{name} is not one of {', '.join(ACTIVATIONS)}")
    slope = float(getattr(act, "negative_slope", 0.01))
    return f"torch.nn.{name}()" if name != "LeakyReLU" or slope == 0.01 else f"torch.nn.{name}({slope})"


def _check_activations(network: Any, model: AnchoredModel) -> None:
    """See that every layer has the activation that it was trained with.

    Raises:
        ModelError: one does not.
    """
    built = _activations(model)
    for name, act in _activations(network).items():
        found = type(built[name]).__name__ if name in built else "none"
        if found != type(act).__name__:
            raise ModelError(f"its layer {name} has the activation {type(act).__name__}, here {found}")


def _names(given: Any, count: int) -> dict[int, str]:
    """Names of the classes by index, from a list or a dictionary."""
    pairs = given.items() if isinstance(given, Mapping) else enumerate(given if isinstance(given, Sequence) else ())
    names = {int(index): str(name) for index, name in pairs}
    if sorted(names) != list(range(count)):
        raise ModelError(f"it has {count} classes, but {len(names)} names of classes")
    return dict(sorted(names.items()))


def _version(network: Any) -> str:
    """The release whose layers and classes a model has; v6.2 has the classes of v7."""
    if type(network.model[0]).__name__ == "Focus":
        return "v5"
    return "v6" if type(network).__name__ == "Model" else "v7"
