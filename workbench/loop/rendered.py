"""Rendered data for a loop: most images are easy, some are worth more."""

from collections.abc import Sequence
from typing import Final

from workbench.loop.setup import Pool
from workbench.sample import Sample
from workbench.shapes import CLASS_NAMES, Scene, render

EASY: Final = Scene(objects=(2, 4), distractors=(0, 0), radius=(32.0, 64.0), empty_share=0.0)
FULL: Final = Scene(objects=(4, 8), distractors=(0, 1), radius=(20.0, 40.0), empty_share=0.0, least_visible=0.6)
EMPTY: Final = Scene(objects=(0, 0), distractors=(0, 0), empty_share=1.0)
SHARES: Final = ((EASY, 0.55), (FULL, 0.25), (EMPTY, 0.2))
"""The scenes and which share of the images shows them: many objects, few, and nothing to learn from."""

QUICK: Final = {
    "det-yolov5-tmi": (
        {
            "model": "yolov5nu",
            "img_size": 128,
            "epochs": 14,
            "batch_size_per_gpu": 4,
            "num_workers_per_gpu": 1,
            # From scratch on a few dozen images: no anchors, which learn slower, many small steps, and no mosaics of
            # images that are easy by themselves.
            "args_options": "--exist-ok nbs=4 optimizer=AdamW lr0=0.003 warmup_epochs=1 mosaic=0",
        },
        {"img_size": 128, "num_workers_per_gpu": 1},
    )
}
"""Changes to the forms of training and mining with which rendered images are a matter of minutes, by image."""

TRAIN_SEED: Final = 100
VAL_SEED: Final = 200


def rendered_pool(train: int, val: int) -> Pool:
    """Discs, triangles and stars.

    Args:
        train: approximate number of images to choose from.
        val: approximate number of validation images.
    """
    name = f"{train} + {val} rendered images"
    return Pool(name, CLASS_NAMES, _render(train, TRAIN_SEED), _render(val, VAL_SEED))


def _render(count: int, seed: int) -> Sequence[Sample]:
    return [
        sample
        for number, (scene, share) in enumerate(SHARES)
        for sample in render(max(1, round(count * share)), seed + number, scene=scene)
    ]
