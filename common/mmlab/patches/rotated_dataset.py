"""Data set of rotated boxes for mmrotate, which has none that reads COCO documents. `compat.prepare` imports this."""

from typing import TypedDict

import numpy as np
from mmdet.datasets import CocoDataset
from mmengine.registry import DATASETS

from common.boxes.rotated import corners

LEAST_SIDE = 1.0
"""Pixels. Thinner boxes are left out, as mmdet does with upright ones."""


class Annotation(TypedDict):
    """The entries that are read of an annotation of a COCO document."""

    category_id: int
    obb: list[float]


class Record(TypedDict):
    """The entry that is read of what `CocoDataset` hands over for an image."""

    raw_ann_info: list[Annotation]


@DATASETS.register_module()
class RotatedBoxDataset(CocoDataset):  # type: ignore[misc]  # mmdet is untyped
    """A document of `coco_writer` with rotated boxes, as mmrotate's pipelines load boxes: as four corners."""

    def parse_data_info(self, raw_data_info: Record) -> dict[str, object]:
        """Describe one image. `bbox` of an instance is x1, y1, ... x4, y4 in pixels, clockwise in the image."""
        annotations = raw_data_info["raw_ann_info"]
        info: dict[str, object] = super().parse_data_info({**raw_data_info, "raw_ann_info": []})
        boxes = np.array([annotation["obb"] for annotation in annotations]).reshape(-1, 5)
        info["instances"] = [
            {"bbox": points, "bbox_label": self.cat2label[annotation["category_id"]], "ignore_flag": 0}
            for annotation, points in zip(annotations, corners(boxes).reshape(-1, 8).tolist(), strict=True)
            if min(annotation["obb"][2:4]) >= LEAST_SIDE
        ]
        return info
