"""Makes models that draw random numbers during inference give the same answer each time."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from common.mmlab.model.heads import is_a


def make_repeatable(model: nn.Module) -> None:
    """Have every image start from the same bases, in place.

    SegNeXt's head (Guo et al. 2022, arXiv:2209.08575) factorises its features, and begins with random factors: the same
    image would get another answer each time, and one that depends on its place in a batch.
    """
    modules: Iterable[Any] = model.modules()
    for module in modules:
        if is_a(module, "NMF2D"):
            module._build_bases = partial(_same_bases, module._build_bases)


def _same_bases(
    build: Callable[..., Tensor], images: int, parts: int, depth: int, rank: int, device: torch.device | None = None
) -> Tensor:
    """`(images * parts, depth, rank)`, drawn once for one image."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        bases = build(1, parts, depth, rank, device)
    return bases.repeat(images, 1, 1)
