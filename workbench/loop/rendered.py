"""Rendered data for a loop: easy images, and among those to choose from some that are worth more."""

from collections.abc import Sequence
from typing import Final

from workbench.loop.setup import Pool
from workbench.plan import Plan
from workbench.sample import Sample

TRAIN_SEED: Final = 100
VAL_SEED: Final = 200


def rendered_pool(plan: Plan, train: int, val: int) -> Pool:
    """Images of the scenes of a demo, in the demo's shares.

    Args:
        plan: the demo.
        train: how many to choose from, about.
        val: how many to judge by, about.
    """
    name = f"{train} + {val} rendered images"
    return Pool(name, plan.class_names, _render(plan, train, TRAIN_SEED), _render(plan, val, VAL_SEED))


def _render(plan: Plan, count: int, seed: int) -> Sequence[Sample]:
    total = sum(share for share, _ in plan.scenes)
    return [
        sample
        for number, (share, scene) in enumerate(plan.scenes)
        for sample in plan.render(max(1, round(count * share / total)), seed + number, scene)
    ]
