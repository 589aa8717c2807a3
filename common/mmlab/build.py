"""A model from its configuration, without a word."""

import warnings
from copy import deepcopy

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn

BUILD_WARNINGS = (
    "In MMCV v1.4.4, we modified the default value",  # of HSigmoid, whenever one is made (PPYOLOE)
    "The arguments `dropout` in MultiheadAttention has been deprecated",  # DINO's configurations still use it
    r"torch\.meshgrid: in an upcoming release",  # mmdet leaves out the argument; torch says so once in a process
)
"""What models warn about, and nobody can change."""


def build_model(config: Config, package: str) -> nn.Module:
    """The model of a configuration, on the CPU, with random weights.

    Args:
        config: the whole configuration.
        package: whose modules it names, where it does not say.
    """
    with warnings.catch_warnings():
        for message in BUILD_WARNINGS:
            warnings.filterwarnings("ignore", message)
        torch.meshgrid(torch.zeros(1), torch.zeros(1))
        scope = config.get("default_scope", package)
        # a copy, as some constructors write into it (DINO)
        model: nn.Module = MODELS.build({**deepcopy(config.model), "_scope_": scope})
    return model
