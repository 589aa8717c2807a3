"""Monte-Carlo dropout: what a trained model says when some of its features are missing.

Source: Gal, Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016, arXiv:1506.02142. Whole channels are dropped,
as in Tompson, Goroshin, Jain, LeCun, Bregler, "Efficient Object Localization Using Convolutional Networks", CVPR 2015,
arXiv:1411.4280: the pixels of a feature map are so alike that its neighbours tell what a single one was.

Blok et al., "Active learning with MaskAL", 2022, arXiv:2112.06586, drop what the heads of a Mask R-CNN read. So does
this, with the head of a YOLO: boxes, classes, coefficients and prototypes see the same features.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

RATE = 0.3
"""The chance of each channel to be dropped.

Chosen by what MaskAL makes of it, on 100 rendered images and a model trained on 320: with 0.1, 0.2, 0.3, 0.4 the rank
correlation of its certainty with how right the masks are is 0.49, 0.56, 0.66, 0.55 (means of two runs, which are up to
0.13 apart); with DropBlock (arXiv:1810.12890; blocks of 7, 0.1) 0.58.
"""

Features = list[torch.Tensor]
"""`(B, C, h, w)` for each scale."""


@contextmanager
def inputs_of(head: torch.nn.Module) -> Iterator[Features]:
    """A list that holds what `head` read, once the model has run in the block."""
    read: Features = []
    hook = head.register_forward_pre_hook(lambda _, inputs: read.extend(inputs[0]))
    try:
        yield read
    finally:
        hook.remove()


def dropped(features: Features, seeds: Sequence[int]) -> Features:
    """The features without some of their channels.

    Args:
        features: of B images.
        seeds: B of them. What an image loses depends on its own seed alone.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return [feature * _factors(feature, generators) for feature in features]


def _factors(feature: torch.Tensor, generators: Sequence[torch.Generator]) -> torch.Tensor:
    """`(B, C, 1, 1)` that each channel is multiplied by: 0, or what makes up for those that are 0."""
    chances = torch.stack([torch.rand(feature.shape[1], generator=generator) for generator in generators])
    return (chances >= RATE)[:, :, None, None].to(feature) / (1 - RATE)
