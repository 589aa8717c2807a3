"""Monte-Carlo dropout: predictions of a trained model while some of its features are missing.

Source: Gal, Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016, arXiv:1506.02142. Whole channels are dropped,
as in Tompson, Goroshin, Jain, LeCun, Bregler, "Efficient Object Localization Using Convolutional Networks", CVPR 2015,
arXiv:1411.4280: the pixels of a feature map are so alike that a dropped one can be guessed from its neighbours.

Blok et al., "Active learning with MaskAL", 2022, arXiv:2112.06586, drop the inputs of the heads of a Mask R-CNN. So
does this, with the head of a YOLO: boxes, classes, coefficients and prototypes see the same features.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

RATE = 0.3
"""Probability of each channel to be dropped.

Chosen by its effect on MaskAL, on 100 rendered images and a model trained on 320: with 0.1, 0.2, 0.3, 0.4 the rank
correlation of its certainty with how right the masks are is 0.49, 0.56, 0.66, 0.55 (means of two runs, which are up to
0.13 apart); with DropBlock (arXiv:1810.12890; blocks of 7, 0.1) 0.58.
"""

Features = list[torch.Tensor]
"""`(B, C, h, w)` per scale."""


@contextmanager
def inputs_of(head: torch.nn.Module) -> Iterator[Features]:
    """Collect the inputs of `head` while the model runs in the block."""
    read: Features = []
    hook = head.register_forward_pre_hook(lambda _, inputs: read.extend(inputs[0]))
    try:
        yield read
    finally:
        hook.remove()


def dropped(features: Features, seeds: Sequence[int]) -> Features:
    """Drop some channels of the features.

    Args:
        features: of B images.
        seeds: one per image. The channels that an image loses depend on its own seed alone.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return [feature * _factors(feature, generators) for feature in features]


def _factors(feature: torch.Tensor, generators: Sequence[torch.Generator]) -> torch.Tensor:
    """Dropout mask `(B, C, 1, 1)`: 0, or 1 / (1 - RATE), which keeps the mean of a channel."""
    chances = torch.stack([torch.rand(feature.shape[1], generator=generator) for generator in generators])
    return (chances >= RATE)[:, :, None, None].to(feature) / (1 - RATE)
