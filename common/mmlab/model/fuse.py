"""Reduces the operations of a model: merges blocks for deployment, folds batch normalisation into convolutions."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from common.mmlab.model.heads import is_a

if TYPE_CHECKING:
    from mmengine.model import BaseModule

CONVOLUTION = "Conv2d"
"""Name of the class, torch's or mmcv's, but of no other subclass: those change their weights on the way."""

NORMALISATIONS = (nn.BatchNorm2d, nn.SyncBatchNorm)


def fuse(model: nn.Module) -> None:
    """Merge layers for inference, in place. The model must be in evaluation mode."""
    for module in list(model.modules()):
        switch = getattr(module, "switch_to_deploy", None)  # of the blocks of YOLOv6, YOLOv7 and PPYOLOE
        if callable(switch):
            switch()
    for module in list(model.modules()):
        for convolution, normalisation in list(_pairs(module)):
            _merge(module, convolution, normalisation)


def _merge(module: nn.Module, convolution: str, normalisation: str) -> None:
    """Not mmcv's `fuse_conv_bn`: it changes a convolution in place, also one that several others share (RTMDet)."""
    setattr(module, convolution, fuse_conv_bn_eval(getattr(module, convolution), getattr(module, normalisation)))
    setattr(module, normalisation, nn.Identity())


def _pairs(module: "BaseModule") -> Iterator[tuple[str, str]]:
    """Names of children where the second normalises what the first computes.

    In mmcv's ConvModule that is certain; elsewhere (ResNet, Sequential) they follow each other and have the same number
    of channels.
    """
    if is_a(module, "ConvModule") and module.order[:2] != ("conv", "norm"):
        return
    for (first, convolution), (second, normalisation) in pairwise(module.named_children()):
        if (
            type(convolution).__name__ == CONVOLUTION
            and type(normalisation) in NORMALISATIONS
            and convolution.out_channels == normalisation.num_features
            and not convolution._forward_pre_hooks  # spectral normalisation
        ):
            yield first, second
