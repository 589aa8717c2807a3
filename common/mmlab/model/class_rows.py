"""Keeps the outputs of the classes that given weights and a task both know, when a model is fine-tuned.

The last layers of a model have rows per class. Which ones they are, and in which order, follows from two models of the
same configuration that differ in the number of classes by one: a tensor that grows by `a` rows holds `a` rows per
class.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from mmengine.config import Config
from torch import Tensor

from common.mmlab.model.build import build_model
from common.mmlab.model.checkpoint import Weights
from common.weights.classes import match_classes, report_classes

SetClasses = Callable[[Config, int], None]

CLASS_FIRST = ("fc_reg",)
"""Layers whose rows are ordered by class and then by coordinate; all others by anchor and then by class."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of a tensor.

    Attributes:
        groups: rows per class: anchors, or coordinates of a box.
        others: rows of each group that belong to no class: 1 is the background, behind the classes; more are the box
            and its objectness, before them.
        class_first: see `CLASS_FIRST`.
    """

    groups: int
    others: int
    class_first: bool

    def rows(self, count: int) -> int:
        """Number of rows of a model with `count` classes."""
        return self.groups * (count + self.others)

    def index(self, count: int) -> Tensor:
        """Rows as a `(groups, count + others)` int64 table, with those of no class in front."""
        table = torch.arange(self.rows(count))
        if self.class_first:
            return table.reshape(-1, self.groups).T
        table = table.reshape(self.groups, -1)
        return table.roll(1, 1) if self.others == 1 else table


def keep_classes(
    weights: Weights, own: Mapping[str, Tensor], config: Config, class_names: Sequence[str], set_classes: SetClasses
) -> Weights:
    """Arrange the rows of the classes that both know, and log which these are.

    Args:
        weights: the given ones.
        own: state dict of the model that shall be trained.
        config: of that model.
        class_names: of that model; position = class index.
        set_classes: fits a configuration to a number of classes, in place.

    Returns:
        Weights whose tensors fit the model; rows of new classes are the model's own.
    """
    known = weights.class_names
    if not known or tuple(known) == tuple(class_names):
        return weights
    report_classes(weights.path, known, class_names)
    matches = match_classes(known, class_names)
    state = dict(weights.state_dict)
    for name, layout in layouts(config, len(class_names), set_classes).items():
        given, present = state.get(name), own.get(name)
        if given is None or present is None or given.dim() == 0 or len(given) != layout.rows(len(known)):
            continue
        if given.shape[1:] == present.shape[1:]:
            state[name] = _arranged(given, present.detach().cpu(), layout, len(known), matches)
    return replace(weights, state_dict=state)


def layouts(config: Config, count: int, set_classes: SetClasses) -> dict[str, Layout]:
    """Tensors of a model that have rows per class."""
    shapes = [_rows_of(config, number, set_classes) for number in (count, count + 1)]
    found = {}
    for name, rows in shapes[0].items():
        groups = shapes[1].get(name, rows) - rows
        if groups > 0 and rows % groups == 0:
            class_first = any(word in name for word in CLASS_FIRST)
            found[name] = Layout(groups, rows // groups - count, class_first)
    return found


def _rows_of(config: Config, count: int, set_classes: SetClasses) -> dict[str, int]:
    fitted = Config({"model": deepcopy(config.model.to_dict()), "default_scope": config.default_scope})
    set_classes(fitted, count)
    state = build_model(fitted, config.default_scope).state_dict()
    return {name: len(tensor) for name, tensor in state.items() if tensor.dim()}


def _arranged(given: Tensor, present: Tensor, layout: Layout, count: int, matches: Sequence[int | None]) -> Tensor:
    """Copy rows of the given tensor into those of the present one."""
    source, target = layout.index(count), layout.index(len(matches))
    result = present.clone()
    columns = [(i, i) for i in range(layout.others)]
    columns += [(layout.others + m, layout.others + j) for j, m in enumerate(matches) if m is not None]
    for old, new in columns:
        result[target[:, new]] = given[source[:, old]].to(result.dtype)
    return result
