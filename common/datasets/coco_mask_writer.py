"""A data set with masks as one COCO document, for evaluation."""

from collections.abc import Sequence
from typing import Any

from common.datasets.coco_writer import to_coco
from common.datasets.mask_dataset import MaskDataset
from common.masks import rle


def to_mask_coco(dataset: MaskDataset, image_names: Sequence[str]) -> dict[str, Any]:
    """Build the document, see `coco_writer.to_coco`; objects without a mask are left out.

    Args:
        dataset: the images and masks.
        image_names: `file_name` of each image.

    Returns:
        As `to_coco`, with `segmentation` (compressed RLE), `area` in pixels of the mask, and `iscrowd`.
    """
    masked = dataset.where(dataset.masked)
    document = to_coco(masked.dataset, masked.sizes, image_names)
    sizes = [masked.size(i) for i in masked.dataset.image_index.tolist()]
    columns = zip(masked.masks, sizes, rle.areas(masked.masks, sizes).tolist(), masked.crowds.tolist(), strict=True)
    document["annotations"] = [
        annotation
        | {"segmentation": {"counts": counts.decode(), "size": list(size)}, "area": area, "iscrowd": int(crowd)}
        for annotation, (counts, size, area, crowd) in zip(document["annotations"], columns, strict=True)
    ]
    return document
