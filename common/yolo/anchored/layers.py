"""The layers of YOLOv5's configurations, and the network that a configuration describes.

Unlike ultralytics' own parser this one looks names up in a table and evaluates nothing, so that a configuration may
come from a file that somebody gives us. Where a layer of ultralytics differs from that of YOLOv5 with the same name, it
is YOLOv5's that is built. Source: YOLOv5 v7.0, models/common.py and `parse_model` in models/yolo.py.
"""

import ast
import copy
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import torch
from ultralytics.nn.modules import block, conv

from common.yolo.params import ACTIVATIONS


class _Bottleneck(block.Bottleneck):  # type: ignore[misc]  # ultralytics is untyped
    """1x1 and 3x3; ultralytics' has two 3x3."""

    def __init__(self, c1: int, c2: int, shortcut: bool = True, g: int = 1, e: float = 0.5) -> None:
        super().__init__(c1, c2, shortcut, g, k=((1, 1), (3, 3)), e=e)


class _BottleneckCSP(block.BottleneckCSP):  # type: ignore[misc]
    """With YOLOv5's bottlenecks."""

    def __init__(self, c1: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5) -> None:
        super().__init__(c1, c2, n, shortcut, g, e)
        hidden = int(c2 * e)
        self.m = torch.nn.Sequential(*(_Bottleneck(hidden, hidden, shortcut, g, e=1.0) for _ in range(n)))


class _C3SPP(block.C3):  # type: ignore[misc]
    """A C3 with an SPP inside, which ultralytics does not have."""

    def __init__(self, c1: int, c2: int, k: Sequence[int] = (5, 9, 13), n: int = 1, e: float = 0.5) -> None:
        super().__init__(c1, c2, n, e=e)
        hidden = int(c2 * e)
        self.m = block.SPP(hidden, hidden, tuple(k))


class _SPPF(block.SPPF):  # type: ignore[misc]
    """With an activation after its first convolution, which ultralytics' does not have by itself."""

    def __init__(self, c1: int, c2: int, k: int = 5) -> None:
        super().__init__(c1, c2, k)
        self.cv1.act = conv.Conv.default_act


REPEATED: Final[dict[str, Callable[..., torch.nn.Module]]] = {
    "BottleneckCSP": _BottleneckCSP,
    "C3": block.C3,
    "C3Ghost": block.C3Ghost,
    "C3TR": block.C3TR,
    "C3x": block.C3x,
}
"""Layers that repeat an inner part: (input channels, output channels, repeats, ...)."""

SCALED: Final[dict[str, Callable[..., torch.nn.Module]]] = {
    "Bottleneck": _Bottleneck,
    "C3SPP": _C3SPP,
    "Conv": conv.Conv,
    "DWConv": conv.DWConv,
    "Focus": conv.Focus,
    "GhostBottleneck": block.GhostBottleneck,
    "GhostConv": conv.GhostConv,
    "SPP": block.SPP,
    "SPPF": _SPPF,
    "nn.ConvTranspose2d": torch.nn.ConvTranspose2d,
}
"""Layers that are put one after the other where they are repeated: (input channels, output channels, ...)."""

PLAIN: Final[dict[str, Callable[..., torch.nn.Module]]] = {
    "Concat": conv.Concat,
    "nn.MaxPool2d": torch.nn.MaxPool2d,
    "nn.Upsample": torch.nn.Upsample,
    "nn.ZeroPad2d": torch.nn.ZeroPad2d,
}
"""Layers that leave the number of channels to their input."""

_DIVISOR = 8
"""Divisor of numbers of channels."""


def activation(text: str) -> torch.nn.Module:
    """`torch.nn.SiLU()` -> the module; one number in the brackets is its first argument.

    Raises:
        ValueError: it is not one of `ACTIVATIONS`, written in this way.
    """
    found = re.fullmatch(r"(?:torch\.)?nn\.(\w+)\((-?[\d.]*)\)", text)
    if found is None or found[1] not in ACTIVATIONS:
        raise ValueError(f"activation {text!r} is not one of torch.nn.{{{', '.join(ACTIVATIONS)}}}()")
    arguments = [float(found[2])] if found[2] else []
    module: torch.nn.Module = getattr(torch.nn, found[1])(*arguments)
    return module


def build_layers(configuration: Mapping[str, Any], channels: int) -> list[Any]:
    """The layers of a configuration but the last, which is the head.

    Args:
        configuration: `backbone` and `head` with rows of (inputs, repeats, name, arguments), `activation`, and either
            `depth_multiple` and `width_multiple`, or `scales` and `scale`.
        channels: of the input.

    Returns:
        Modules with the attributes by which an ultralytics model runs them: `i`, their index, and `f`, their inputs.

    Raises:
        ValueError: a layer is not in the tables, or its row is not one.
    """
    with activated(configuration):
        return _build(configuration, channels)


@contextmanager
def activated(configuration: Mapping[str, Any]) -> Iterator[None]:
    """Let convolutions that are built in the block have the activation of a configuration, by default SiLU."""
    before = conv.Conv.default_act
    conv.Conv.default_act = activation(configuration.get("activation") or "torch.nn.SiLU()")
    try:
        yield
    finally:
        conv.Conv.default_act = before


def scaled_channels(count: float, width: float) -> int:
    """A number of channels times the width of the model, rounded up to a multiple of 8."""
    return math.ceil(count * width / _DIVISOR) * _DIVISOR


def multiples(configuration: Mapping[str, Any]) -> tuple[float, float]:
    """Depth and width of a model, by which its repeats and its channels are multiplied."""
    if configuration.get("scales"):
        depth, width, _ = configuration["scales"][configuration["scale"]]
        return float(depth), float(width)
    return float(configuration.get("depth_multiple", 1.0)), float(configuration.get("width_multiple", 1.0))


def _build(configuration: Mapping[str, Any], channels: int) -> list[Any]:
    depth, width = multiples(configuration)
    layers: list[Any] = []
    counts: list[int] = []
    for inputs, repeats, name, arguments in [*configuration["backbone"], *configuration["head"][:-1]]:
        given = [counts[each] if counts else channels for each in _listed(inputs)]
        number = max(round(repeats * depth), 1) if repeats > 1 else repeats
        layer, count = _layer(str(name), given, number, [_value(each) for each in arguments], width)
        layers.append(layer)
        layers[-1].i, layers[-1].f, layers[-1].type = len(counts), inputs, str(name)
        counts.append(count)
    for module in torch.nn.ModuleList(layers).modules():
        if isinstance(getattr(module, "act", None), torch.nn.PReLU):
            module.act = copy.deepcopy(module.act)  # it has weights, which are not those of the other layers
    return layers


def _layer(
    name: str, given: Sequence[int], number: int, arguments: list[Any], width: float
) -> tuple[torch.nn.Module, int]:
    """A layer and its number of output channels."""
    if name in PLAIN:
        count = sum(given)
        return PLAIN[name](*arguments), count
    if name not in REPEATED and name not in SCALED:
        known = ", ".join(sorted((*REPEATED, *SCALED, *PLAIN)))
        raise ValueError(f"the layer {name!r} is not one of YOLOv5's ({known})")
    count = scaled_channels(arguments[0], width)
    if name in REPEATED:
        return REPEATED[name](given[0], count, number, *arguments[1:]), count
    parts = [SCALED[name](given[0] if i == 0 else count, count, *arguments[1:]) for i in range(number)]
    return parts[0] if number == 1 else torch.nn.Sequential(*parts), count


def _listed(inputs: int | Sequence[int]) -> Sequence[int]:
    return [inputs] if isinstance(inputs, int) else inputs


def _value(argument: Any) -> Any:
    """An argument as YAML leaves it: `'None'` is None."""
    if isinstance(argument, str):
        with suppress(ValueError, SyntaxError):
            return ast.literal_eval(argument)
    return argument
