"""COCO's metrics of masks and of their boxes, by hotcoco, as `coco_metrics` has them for boxes alone."""

from collections.abc import Sequence
from pathlib import Path

from common.arrays import Doubles
from common.masks.rle import Size
from common.results.coco_metrics import evaluate
from common.results.training import unit


def mask_metrics(
    ground_truth: Path, detections: Doubles, masks: Sequence[bytes], sizes: Sequence[Size]
) -> dict[str, float]:
    """Compare detections with a COCO document.

    Args:
        ground_truth: the document, see `coco_mask_writer`.
        detections: `(n, 7)` rows of image id, x, y, width, height (pixels), score, category id.
        masks: n compressed masks, at their images' own sizes.
        sizes: n heights and widths of these images.

    Returns:
        `maskAP` and `boxAP` at IoU 0.5, of masks and of boxes; `maskAP50_95` and `boxAP50_95` averaged over IoU 0.5 to
        0.95. At most 100 objects an image. In [0, 1]; where there is nothing to find, 0.
    """
    segmentation = [{"counts": text.decode(), "size": list(size)} for text, size in zip(masks, sizes, strict=True)]
    metrics: dict[str, float] = {}
    for name, kind in (("maskAP", "segm"), ("boxAP", "bbox")):
        found = evaluate(ground_truth, detections, kind, segmentation=segmentation).get_results()
        metrics |= {name: unit(found["AP50"]), f"{name}50_95": unit(found["AP"])}
    return metrics
