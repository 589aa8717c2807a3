"""Restores a trained model from its weights: configuration, modules and class names."""

from mmengine.config import Config
from torch import nn

from common.errors import ModelError
from common.mmlab.model.build import build_model
from common.mmlab.model.checkpoint import Weights, load_all_into
from common.task.env import Task
from common.weights.given import check_class_names


def config_of(weights: Weights) -> Config:
    """Configuration of some weights.

    Raises:
        ModelError: they have none, or an incomplete one.
    """
    config = weights.config
    if config is None:
        raise ModelError(f"{weights.path}: it has no configuration (meta.cfg), and no .py file lies beside it")
    if "model" not in config or "val_dataloader" not in config:
        raise ModelError(f"{weights.path}: its configuration has no model or no val_dataloader (another version's?)")
    return config


def build(weights: Weights, config: Config, package: str) -> nn.Module:
    """Build the complete model of some weights, on the CPU.

    Raises:
        ModelError: the configuration describes no model of this version, or another one than the weights.
    """
    try:
        model = build_model(config, package)
    except Exception as error:  # a wrong argument fails in a constructor in any way
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{weights.path}: the model of its configuration cannot be built: {reason}") from error
    load_all_into(model, weights)
    return model


def class_names_of(task: Task, weights: Weights, count: int | None) -> tuple[str, ...]:
    """Class names that the weights were trained for; those of the task where the file lists none.

    Args:
        count: number of the model's classes; None where it is unknown.

    Raises:
        ModelError: the number differs from the task's or the model's.
    """
    names = weights.class_names or task.class_names or tuple(map(str, range(count or 0)))
    if count is not None and len(names) != count:
        raise ModelError(f"{weights.path}: trained for {count} classes, but there are {len(names)} names")
    check_class_names(weights.path, names, task.class_names)
    return names
