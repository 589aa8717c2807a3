"""Fits a configuration to a number of classes."""

from mmengine.config import Config, ConfigDict

from common.mmlab.fit.nested import mappings

WEIGHTED_HEADS = ("YOLOv5Head", "YOLOv7Head")
"""Heads whose class loss is weighted by the number of classes.

Their configurations compute `loss_cls_weight * (num_classes / 80 * 3 / num_det_layers)`, as YOLOv5 does, and no others
of mmyolo and mmdet do so. The formula is evaluated when the file is read.
"""

COCO_CLASSES = 80


def set_classes(config: Config, count: int) -> None:
    """Fit the heads, the assigners and the weights of the class losses to `count` classes, in place.

    The classifier of a region proposal network stays: it separates objects from background.
    """
    for name, part in config.model.items():
        if name == "rpn_head":
            continue
        for mapping in mappings(part):
            if str(mapping.get("type")).rpartition(".")[2] in WEIGHTED_HEADS:
                _weigh(mapping, count)
            if "num_classes" in mapping:
                mapping["num_classes"] = count


def _weigh(head: ConfigDict, count: int) -> None:
    """Weigh the class loss of a head that still has its own number of classes.

    Configurations for one class inherit the weight of COCO: it does nothing there, YOLOv5 has no class loss then.
    """
    own = head["head_module"]["num_classes"]
    head["loss_cls"]["loss_weight"] *= count / (COCO_CLASSES if own == 1 else own)
