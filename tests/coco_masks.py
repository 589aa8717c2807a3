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
            x1, y1, x2, y2 = dataset.boxes[row].tolist()
            annotations.append(
                {"id": len(annotations) + 1, "image_id": i + 1, "category_id": category}
                | {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": int(mask.sum()), "iscrowd": int(dataset.crowds[row])}
                | {"segmentation": {"counts": counts, "size": list(mask.shape)}}
            )
    categories = [{"id": i, "name": name} for i, name in enumerate(dataset.class_names)]
    return {"images": images, "annotations": annotations, "categories": categories}


def mask_metrics(truth: Mapping[str, object], found: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """COCO's metrics of masks and of their boxes, at most 100 objects per image.

    Args:
        truth: a COCO document.
        found: `image_id`, `category_id`, `score`, `bbox` and `segmentation` of each object.

    Returns:
        `maskAP` and `boxAP` at IoU 0.5; `maskAP50_95` and `boxAP50_95` averaged over IoU 0.5 to 0.95.
    """
    metrics = {}
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        results = coco.loadRes([dict(each) for each in found])
        for name, kind in (("maskAP", "segm"), ("boxAP", "bbox")):
            evaluation = COCOeval(coco, results, kind)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            metrics |= {name: float(evaluation.stats[1]), f"{name}50_95": float(evaluation.stats[0])}
    return metrics
