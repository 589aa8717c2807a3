"""The rows of the seed documents' tables, with what is known of each."""

from copy import deepcopy
from dataclasses import dataclass
from functools import cache

import pytest
from mmengine.config import Config
from tasks import MMDETECTION, MMROTATE, MMYOLO

from common.mmlab.fit.config import load_config
from workbench.images import REPOSITORY, image


@dataclass(frozen=True)
class Row:
    """A model of a table.

    Attributes:
        millions: of parameters, for the classes of the data set that it is published with. RTMDet's are the seed
            documents'; the others are those of the projects that published the models first. YOLOv6 and PPYOLOE+ are
            counted there with their branches already merged.
        final: learning rate at the end of a training, as a share of the highest.
        last: epochs without mosaic of a hundred.
    """

    package: str
    key: str
    millions: float | None
    final: float
    last: int | None

    @property
    def classes(self) -> int:
        """Of the data set that the model is published with: DOTA or COCO."""
        return 15 if self.package == "mmrotate" else 80

    def config(self) -> Config:
        return deepcopy(_loaded(self.package, self.key))


_loaded = cache(load_config)


RTMDET = 0.05
YOLOX = 0.0507  # a cosine of 285 epochs that begins with the sixth
PPYOLOE = 0.0744  # a cosine of 96 epochs that begins with the sixth and stops with the eightieth

SEEDS = {
    MMYOLO: {
        "yolov5_n": (1.867, 0.01, None),
        "yolov5_s": (7.226, 0.01, None),
        "yolov5_m": (21.17, 0.1, None),
        "yolov6_n": (None, 0.02, 4),
        "yolov6_t": (None, 0.01, 4),
        "yolov6_s": (None, 0.01, 4),
        "yolov6_m": (None, 0.01, 5),
        "yolov7_tiny": (6.2, 0.01, None),
        "yolov7_l": (37.62, 0.1, None),
        "yolov7_x": (71.3, 0.1, None),
        "yolov8_n": (3.157, 0.01, 2),
        "yolov8_s": (11.17, 0.01, 2),
        "yolov8_m": (25.90, 0.01, 2),
        "yolox_tiny": (5.06, YOLOX, 5),
        "yolox_s": (9.0, YOLOX, 5),
        "rtmdet_tiny": (None, RTMDET, 7),  # has a test of its own
        "rtmdet_s": (8.89, RTMDET, 7),
        "rtmdet_m": (24.71, RTMDET, 7),
        "rtmdet_l": (52.3, RTMDET, 7),
        "ppyoloe_plus_s": (None, PPYOLOE, None),
        "ppyoloe_plus_m": (None, PPYOLOE, None),
    },
    MMDETECTION: {
        "yolox_tiny": (5.06, YOLOX, 5),
        "yolox_s": (9.0, YOLOX, 5),
        "yolox_l": (54.2, YOLOX, 5),
        "yolox_x": (99.1, YOLOX, 5),
    },
    MMROTATE: {
        "rtmdet_tiny": (4.88, RTMDET, None),
        "rtmdet_tiny_ms": (4.88, RTMDET, None),
        "rtmdet_s": (8.86, RTMDET, None),
        "rtmdet_s_ms": (8.86, RTMDET, None),
        "rtmdet_m": (24.67, RTMDET, None),
        "rtmdet_m_ms": (24.67, RTMDET, None),
    },
}


def table() -> dict[str, Row]:
    """Rows by package and short name."""
    rows = {}
    for folder, models in SEEDS.items():
        with image(REPOSITORY / folder):
            from zoo import MODELS, PACKAGE
        rows |= {f"{PACKAGE} {name}": Row(PACKAGE, MODELS[name], *known) for name, known in models.items()}
    return rows


STRUCTURES = {
    *("mmyolo yolov5_n", "mmyolo yolov5_m", "mmyolo yolov6_n", "mmyolo yolov6_m", "mmyolo yolov7_tiny"),
    *("mmyolo yolov7_l", "mmyolo yolov8_n", "mmyolo yolox_tiny", "mmyolo rtmdet_tiny", "mmyolo ppyoloe_plus_s"),
    *("mmdet yolox_tiny", "mmrotate rtmdet_tiny", "mmrotate rtmdet_tiny_ms"),
}
"""One row for each structure of a model, and for each schedule."""


def rows() -> list:
    """Every row as a parameter of a test; those that differ from another in their size alone are exhaustive."""
    return [
        pytest.param(row, id=name, marks=() if name in STRUCTURES else pytest.mark.exhaustive)
        for name, row in table().items()
    ]


OTHERS = {
    "faster-rcnn": "faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py",
    "retinanet": "retinanet/retinanet_r50_fpn_1x_coco.py",
    "rtmdet_tiny": "rtmdet/rtmdet_tiny_8xb32-300e_coco.py",
    "rtmdet_s": "rtmdet/rtmdet_s_8xb32-300e_coco.py",
    "dino": "dino/dino-4scale_r50_8xb2-12e_coco.py",
    "cascade-rcnn": "cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py",
    "iterations": "retinanet/retinanet_r50_fpn_90k_coco.py",
}
"""Further detectors of mmdetection."""

ROTATED = {
    "oriented-rcnn": "oriented_rcnn/oriented-rcnn-le90_r50_fpn_1x_dota.py",
    "retinanet": "rotated_retinanet/rotated-retinanet-rbox-le90_r50_fpn_1x_dota.py",
    "fcos": "rotated_fcos/rotated-fcos-le90_r50_fpn_1x_dota.py",
    "masks": "oriented_rcnn/oriented-rcnn-le90_r50_fpn_6x_ssdd.py",
    "mosaic": "rotated_rtmdet/rotated_rtmdet_l-300e-aug-hrsc.py",
}
"""Further detectors of mmrotate."""
