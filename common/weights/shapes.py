"""Check that the layers of a file form a tree that can be walked."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

PATHS = 100_000
"""Layers that the walk over a model may visit; one that several hold counts as often (an activation, say)."""

DEPTH = 100
"""Layers within one another."""


def check_layers(objects: Iterable[Any]) -> None:
    """Check what layers hold, and that no walk over them is endless or doubles at each step.

    Args:
        objects: all that were made for a file; those that are no layers do not count.

    Raises:
        ValueError: one holds something else than parameters, buffers and layers, or itself.
    """
    visits: dict[int, tuple[int, int]] = {}
    for layer in objects:
        if isinstance(layer, nn.Module):
            _check_members(layer)
    for layer in objects:
        if isinstance(layer, nn.Module) and id(layer) not in visits:
            _visit(layer, visits)


def _check_members(layer: nn.Module) -> None:
    own = vars(layer)
    for name, kind in (("_parameters", nn.Parameter), ("_buffers", Tensor), ("_modules", nn.Module)):
        members = own.get(name)
        if not isinstance(members, dict) or not all(
            value is None or isinstance(value, kind) for value in members.values()
        ):
            raise ValueError(f"a layer whose {name[1:]} are something else")


def _visit(layer: nn.Module, visits: dict[int, tuple[int, int]], above: int = 0) -> tuple[int, int]:
    """Number of layers that a walk from `layer` visits."""
    if above > DEPTH:
        raise ValueError("layers that hold themselves, or are nested too deeply")
    if id(layer) not in visits:
        parts = [_visit(part, visits, above + 1) for part in layer._modules.values() if part is not None]
        visits[id(layer)] = 1 + sum(count for count, _ in parts), 1 + max((depth for _, depth in parts), default=0)
    count, depth = visits[id(layer)]
    if count > PATHS or depth > DEPTH:
        raise ValueError("layers that hold one another too often")
    return count, depth
