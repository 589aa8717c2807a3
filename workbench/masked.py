"""Samples with masks, and the annotations of a segmentation project."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from workbench.export import COCO_FILE, to_coco
from workbench.sample import Sample
from workbench.scene import Owners, Scene, render_owned
from workbench.shapes import CUT


@dataclass(frozen=True, eq=False)
class MaskedSample:
    """A sample with the mask of each object. No pixel shows two objects.

    Attributes:
        sample: the image, and the boxes and classes of its n objects.
        owners: `(H, W)` int16, the object that a pixel shows, -1 for none.

    Raises:
        ValueError: the owners are not of the image's size, or name an object that does not exist.
    """

    sample: Sample
    owners: Owners

    def __post_init__(self) -> None:
        if self.owners.shape != self.sample.image.shape[:2]:
            raise ValueError(f"owners: expected shape {self.sample.image.shape[:2]}, got {self.owners.shape}")
        if self.owners.max(initial=-1) >= len(self.sample.classes):
            raise ValueError(f"owners: expected at most {len(self.sample.classes) - 1}, got {self.owners.max()}")

    @property
    def masks(self) -> NDArray[np.bool_]:
        """`(n, H, W)` the pixels of each object."""
        masks: NDArray[np.bool_] = self.owners == np.arange(len(self.sample.classes))[:, None, None]
        return masks

    def labels(self, blank: int) -> NDArray[np.int64]:
        """`(H, W)` the class of each pixel; `blank` where it shows no object."""
        return np.append(self.sample.classes, blank)[self.owners]


Rendered = Sample | MaskedSample
"""Output of a renderer, with or without masks."""


def sample_of(rendered: Rendered) -> Sample:
    """The image with its boxes."""
    return rendered.sample if isinstance(rendered, MaskedSample) else rendered


def render_masked(count: int, seed: int, scene: Scene = CUT) -> list[MaskedSample]:
    """`count` images of `scene`; image i depends on `seed` and i alone. The same images as `shapes.render` makes."""
    return [MaskedSample(*render_owned(np.random.default_rng([seed, index]), scene)) for index in range(count)]


def write_mask_annotations(
    root: Path, train: Sequence[MaskedSample], val: Sequence[MaskedSample], class_names: Sequence[str]
) -> Path:
    """Gives the objects of a training task with `export_format` seg-coco:raw their masks.

    Args:
        root: folder that `write_training_task` wrote for the samples of the same images.
        train: the training set.
        val: the validation set.
        class_names: the classes in the order of their indices.

    Returns:
        The annotation file, which both index files name.
    """
    known = [class_names[index] for masked in train for index in masked.sample.classes.tolist()]
    assets = {root.resolve() / "in" / "assets" / masked.sample.asset: masked for masked in (*train, *val)}
    file = root.resolve() / "in" / "annotations" / COCO_FILE
    file.write_text(json.dumps(to_mask_coco(assets, class_names, known)), encoding="utf-8")
    return file


def to_mask_coco(
    assets: Mapping[Path, MaskedSample], class_names: Sequence[str], known: Sequence[str]
) -> dict[str, Any]:
    """COCO document as from `export.to_coco`, with a compressed mask and its area per object.

    Args:
        assets: the samples by the absolute paths of their image files.
        class_names: the classes in the order of their indices.
        known: the classes that `categories` lists: those of the training set.
    """
    document: dict[str, Any] = to_coco({path: masked.sample for path, masked in assets.items()}, class_names, known)
    masks = [mask for _, masked in sorted(assets.items(), key=lambda item: item[0].name) for mask in masked.masks]
    for annotation, mask in zip(document["annotations"], masks, strict=True):
        annotation["segmentation"] = compressed(mask)
        annotation["area"] = int(mask.sum())
    return document


def compressed(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask `(H, W)` as `counts`, a text, and `size`, height and width."""
    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {"counts": rle["counts"].decode(), "size": list(rle["size"])}
