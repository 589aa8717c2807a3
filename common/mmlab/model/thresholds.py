"""Sets the last step of a detector: the thresholds by which it drops boxes."""

from mmengine.config import ConfigDict

from common.predictions import MAX_DETECTIONS


def final_step(model: ConfigDict) -> ConfigDict:
    """Section of a model's configuration for its last step: the second stage of a two-stage detector."""
    if not model.get("test_cfg"):
        model.test_cfg = ConfigDict()
    return model.test_cfg.get("rcnn", model.test_cfg)


def set_thresholds(model: ConfigDict, confidence: float, iou: float | None, most: int | None = MAX_DETECTIONS) -> None:
    """Put the thresholds of a task into the configuration of a model, in place.

    Detectors without non-maximum suppression (DETR, DINO) read no threshold; the predictor applies it to them.

    Args:
        model: section `model`.
        confidence: minimum score of a box, in [0, 1].
        iou: above it the weaker of two boxes of a class is dropped, in [0, 1]; None: the model's own.
        most: maximum number of boxes per image; None: the model's own.
    """
    step = final_step(model)
    step.score_thr = confidence
    suppression = step.get("nms")
    if isinstance(suppression, dict):
        if iou is not None:
            suppression["iou_threshold"] = iou
        if most is not None:
            step.max_per_img = most
    if "multi_label" in step:  # mmyolo; `probabilities` needs the scores of all classes, and keeps the best
        step.multi_label = True
    step.pop("yolox_style", None)  # mmyolo; it would lift the limit


def most_boxes(model: ConfigDict) -> int:
    """Maximum number of boxes per image of a model."""
    return int(final_step(model).get("max_per_img", MAX_DETECTIONS))
