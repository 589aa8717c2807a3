"""Builds a model from its configuration, silencing its output."""

from copy import deepcopy

from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn

from common.mmlab.patches.compat import quiet


def build_model(config: Config, package: str) -> nn.Module:
    """Build the model of a configuration, on the CPU, with random weights.

    Args:
        config: the whole configuration.
        package: where its modules are, unless it says so itself.
    """
    scope = config.get("default_scope", package)
    with quiet():
        # a copy, as some constructors write into it (DINO)
        model: nn.Module = MODELS.build({**deepcopy(config.model), "_scope_": scope})
    return model
