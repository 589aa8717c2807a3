"""Masks as pycocotools encodes and judges them: the oracle of what the engine and the frameworks make of them."""

import contextlib
import io
from collections.abc import Mapping, Sequence

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from common.datasets.mask_dataset import MaskDataset


def encode(mask: np.ndarray) -> bytes:
    """Compress one mask `(height, width)`."""
    counts: bytes = coco_mask.encode(np.asfortranarray(mask, np.uint8))["counts"]
    return counts


def mask_document(dataset: MaskDataset) -> dict[str, list[dict[str, object]]]:
    """The objects of a data set that have a mask, as a COCO document; ids of images and annotations count from 1."""
    sizes = dataset.sizes.tolist()
    images = [{"id": i, "width": width, "height": height} for i, (width, height) in enumerate(sizes, 1)]
    annotations = []
    for i in range(len(sizes)):
        for row, mask in dataset.decoded(i):
            counts, category = dataset.masks[row].decode(), int(dataset.classes[row])
            segmentation = {"counts": counts, "size": list(mask.shape)}
            annotations.append(
                {"id": len(annotations) + 1, "image_id": i + 1, "category_id": category, "segmentation": segmentation}
                | {"area": int(mask.sum()), "iscrowd": int(dataset.crowds[row])}
            )
    categories = [{"id": i, "name": name} for i, name in enumerate(dataset.class_names)]
    return {"images": images, "annotations": annotations, "categories": categories}


def mask_precision(truth: Mapping[str, object], found: Sequence[Mapping[str, object]]) -> float:
    """Average precision of masks at IoU 0.5, at most 100 objects per image.

    Args:
        truth: a COCO document.
        found: `image_id`, `category_id`, `score` and `segmentation` of each object.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes([dict(each) for each in found]), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[1])
