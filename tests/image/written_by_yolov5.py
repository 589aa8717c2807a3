"""Checkpoints as the yolov5 repository writes them, made from models of this project."""

import copy
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import yaml

from common.yolo.anchored.layers import multiples
from common.yolo.anchored.model import AnchoredModel

V5 = """
backbone:
- [-1, 1, Focus, [64, 3]]
- [-1, 1, Conv, [128, 3, 2]]
- [-1, 3, C3, [128]]
- [-1, 1, Conv, [256, 3, 2]]
- [-1, 9, C3, [256]]
- [-1, 1, Conv, [512, 3, 2]]
- [-1, 9, C3, [512]]
- [-1, 1, Conv, [1024, 3, 2]]
- [-1, 1, SPP, [1024, [5, 9, 13]]]
- [-1, 3, C3TR, [1024, False]]
head:
- [-1, 1, Conv, [512, 1, 1]]
- [-1, 1, nn.Upsample, [None, 2, nearest]]
- [[-1, 6], 1, Concat, [1]]
- [-1, 3, C3, [512, False]]
- [-1, 1, Conv, [256, 1, 1]]
- [-1, 1, nn.Upsample, ['None', 2, nearest]]
- [[-1, 4], 1, Concat, [1]]
- [-1, 3, C3, [256, False]]
- [-1, 1, Conv, [256, 3, 2]]
- [[-1, 14], 1, Concat, [1]]
- [-1, 3, C3, [512, False]]
- [-1, 1, Conv, [512, 3, 2]]
- [[-1, 10], 1, Concat, [1]]
- [-1, 3, C3, [1024, False]]
- [[17, 20, 23], 1, HEAD]
"""
"""The layers of v5's yolov5-transformer.yaml."""

V6 = V5.replace("Focus, [64, 3]", "Conv, [64, 6, 2, 2]").replace("-1, 9, C3, [256]", "-1, 6, C3, [256]")
V6 = V6.replace(
    "- [-1, 1, SPP, [1024, [5, 9, 13]]]\n- [-1, 3, C3TR, [1024, False]]",
    "- [-1, 3, C3, [1024]]\n- [-1, 1, SPPF, [1024, 5]]",
)
"""Those of v6 and v7."""

ANCHORS = [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]]


def configuration(rows: str, *, masks: bool, depth: float = 0.33, width: float = 0.25, **more: Any) -> dict[str, Any]:
    """What an `AnchoredModel` is built from."""
    head = "AnchoredSegment, [nc, 32, 256, anchors]" if masks else "AnchoredDetect, [nc, anchors]"
    content = yaml.safe_load(rows.replace("HEAD", head))
    return {**content, "nc": 2, "depth_multiple": depth, "width_multiple": width, "anchors": ANCHORS, **more}


def model_of(conf: dict[str, Any], names: Any = ("cat", "dog")) -> AnchoredModel:
    """A model with random weights and statistics that half precision holds exactly."""
    torch.manual_seed(0)
    model = AnchoredModel({**conf, "nc": len(names)}).eval()
    model.names = dict(enumerate(names))
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    for layer in model.model[-1].m:
        layer.weight.data *= 20
        layer.bias.data.zero_()
    model.half().float()
    return model


def write(
    model: AnchoredModel,
    path: Path,
    *,
    network: str = "Model",
    key: str = "model",
    names: Any = None,
    half: bool = True,
) -> Path:
    """Save the model as an object of the repository's classes."""
    with repository() as modules:
        shell = _shell(copy.deepcopy(model), modules, network)
        shell.yaml = _yaml(model)
        shell.names = names if names is not None else list(model.names.values())
        other = {"model": "ema", "ema": "model"}[key]
        content = {"epoch": -1, "best_fitness": None, "optimizer": None, other: None, "date": "2022-01-01"}
        torch.save(content | {key: shell.half() if half else shell}, path)
    return path


@contextmanager
def repository() -> Iterator[dict[str, types.ModuleType]]:
    """The repository's modules, with the classes that were asked for."""
    modules = {name: types.ModuleType(name) for name in ("models", "models.yolo", "models.common")}
    sys.modules.update(modules)
    try:
        yield modules
    finally:
        for name in modules:
            del sys.modules[name]


def _class(modules: dict[str, types.ModuleType], module: str, name: str) -> type:
    if not hasattr(modules[module], name):
        kind = type(name, (torch.nn.Module,), {"__module__": module, "__qualname__": name})
        setattr(modules[module], name, kind)
    return getattr(modules[module], name)


def _shell(module: torch.nn.Module, modules: dict[str, types.ModuleType], network: str) -> Any:
    kind = type(module)
    if kind.__module__.startswith("torch."):
        shell = copy.copy(module)
    else:
        places = {
            "AnchoredModel": ("models.yolo", network),
            "AnchoredDetect": ("models.yolo", "Detect"),
            "AnchoredSegment": ("models.yolo", "Segment"),
            "MaskPrototypes": ("models.common", "Proto"),
        }
        place = places.get(kind.__name__, ("models.common", kind.__name__.lstrip("_")))
        shell = _class(modules, *place).__new__(_class(modules, *place))
        kept = {"f", "i", "type", "np", "add", "d", "stride", "nc", "nl", "na", "no", "nm", "npr", "training", "c2"}
        own = {key: value for key, value in vars(module).items() if key.startswith("_") or key in kept}
        shell.__dict__.update(own)
    shell._modules = {name: _shell(child, modules, network) for name, child in module._modules.items()}
    shell._parameters, shell._buffers = dict(module._parameters), dict(module._buffers)
    if "sizes" in shell._buffers:
        sizes = shell._buffers.pop("sizes")
        shell._buffers["anchors"] = sizes / module.stride.view(-1, 1, 1)
        shell._buffers["anchor_grid"] = sizes.clone().view(len(sizes), 1, -1, 1, 1, 2)
    return shell


def _yaml(model: AnchoredModel) -> dict[str, Any]:
    rows = [list(row) for row in model.yaml["head"]]
    inputs, _, kind, arguments = rows[-1]
    extra = arguments[1:3] if kind == "AnchoredSegment" else []
    rows[-1] = [inputs, 1, kind.removeprefix("Anchored"), ["nc", "anchors", *extra]]
    depth, width = multiples(model.yaml)
    kept = {key: model.yaml[key] for key in ("nc", "backbone", "anchors")}
    return {**kept, "depth_multiple": depth, "width_multiple": width, "head": rows, "ch": 3}
