"""Convert predictions to objects of infer-result.json, per object type."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from common.contract import ObjectType
from common.images.letterbox import Placement
from common.predictions import Prediction
from common.results.detection import annotations
from common.results.records import Annotation, MaskObject
from common.results.segmentation import class_objects, instances

ObjectsOf = Callable[[Prediction, Placement, Sequence[str]], tuple[Annotation, ...] | tuple[MaskObject, ...]]
"""Converts a prediction, given the placement of its image in the model's input and the class names."""


def boxes(prediction: Prediction, placement: Placement, class_names: Sequence[str]) -> tuple[Annotation, ...]:
    """Make a box for each detection."""
    return annotations(placement.to_image(prediction.detections), class_names)


def masks_of_objects(
    prediction: Prediction, placement: Placement, class_names: Sequence[str]
) -> tuple[MaskObject, ...]:
    """Make a mask for each detection.

    Raises:
        ValueError: the model gave no masks.
    """
    if prediction.masks is None:
        raise ValueError("instance segmentation needs the masks of the model, got none")
    found = placement.to_image(prediction.detections)
    parts = prediction.masks.in_image(found.boxes, placement.back, placement.size)
    return instances(parts, found.classes, found.scores, placement.size, class_names)


def masks_of_classes(
    prediction: Prediction, placement: Placement, class_names: Sequence[str]
) -> tuple[MaskObject, ...]:
    """Make a mask for each class that the image shows.

    Raises:
        ValueError: the model gave no classes of pixels.
    """
    if prediction.pixels is None:
        raise ValueError("semantic segmentation needs the classes of the pixels, got none")
    return class_objects(prediction.pixels.labels(placement.size), class_names)


OBJECTS: Final[Mapping[ObjectType, ObjectsOf]] = {
    ObjectType.DETECTION: boxes,
    ObjectType.SEMANTIC: masks_of_classes,
    ObjectType.INSTANCE: masks_of_objects,
}
