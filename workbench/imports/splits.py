"""Training and validation images of a data set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.imports.collect import Splits
from workbench.imports.entry import TEST, TRAIN, UNSPLIT, VAL, SourceError
from workbench.imports.tally import Kind, Tally
from workbench.stored import StoredImage


@dataclass(frozen=True, slots=True)
class Sets:
    """The two halves of a training task."""

    train: Sequence[StoredImage]
    val: Sequence[StoredImage]


def training_sets(splits: Splits, val_share: float, seed: int, tally: Tally) -> Sets:
    """The splits of the data set, or a share of the training images for validation where it has none for that.

    Args:
        splits: the images of each split.
        val_share: share of the training images, more than 0 and less than 1.
        seed: chooses the share, together with the contents of the images and not their order.
        tally: takes the images that are of no use.

    Raises:
        SourceError: there are not enough images.
    """
    split = bool(splits[TRAIN])
    train, val = list(splits[TRAIN] if split else splits[UNSPLIT]), list(splits[VAL])
    _leave_out(splits[TEST], "they are test images, which a training does not use", tally)
    if split:
        _leave_out(splits[UNSPLIT], "they are in no split, though the data set has splits", tally)
    if not val:
        train, val = share(train, val_share, seed)
    if not train or not val:
        raise SourceError(f"there are {len(train)} images to train and {len(val)} to validate; each needs at least one")
    return Sets(train, val)


def share(images: Sequence[StoredImage], part: float, seed: int) -> tuple[list[StoredImage], list[StoredImage]]:
    """Splits off a share of the images by chance: the rest and the share, in the given order."""
    by_name = sorted(images, key=lambda image: image.digest)
    count = min(max(1, round(part * len(images))), len(images))
    chosen = {by_name[i].digest for i in np.random.default_rng(seed).permutation(len(images))[:count].tolist()}
    return [each for each in images if each.digest not in chosen], [each for each in images if each.digest in chosen]


def _leave_out(images: Iterable[StoredImage], reason: str, tally: Tally) -> None:
    for image in images:
        tally.add(Kind.IMAGES, reason, image.source)
