"""Builders of predictions for the tests of mining."""

from collections.abc import Sequence

import numpy as np

from common.boxes.affine import IDENTITY
from common.mining.algorithm import Augmented, Evidence
from common.predictions import Detections, Floats, Prediction
from common.task.mining_settings import MiningSettings

SIZE = (96, 128)
SETTINGS = MiningSettings(task_id="t000001")

Box = tuple[float, float, float, float]


def detections(*found: tuple[Box, Sequence[float]]) -> Detections:
    """Detections from pairs of a box and the probabilities of the classes; the score is the largest."""
    if not found:
        return Detections.empty(class_count=1)
    probabilities = np.array([each for _, each in found], np.float32)
    return Detections(
        boxes=np.array([box for box, _ in found], np.float32),
        scores=probabilities.max(axis=1),
        classes=probabilities.argmax(axis=1),
        probabilities=probabilities,
    )


def scored(*scores: float) -> Detections:
    """Detections side by side, of one class, with these scores."""
    return detections(*[((20.0 * i, 10, 20.0 * i + 15, 40), [score]) for i, score in enumerate(scores)])


def evidence(
    plain: Detections, *augmented: Detections, maps: tuple[Floats, ...] = (), name: str = "image.jpg"
) -> Evidence:
    """Evidence whose augmentations move nothing."""
    image = np.zeros((*SIZE, 3), np.uint8)
    return Evidence(
        name=name,
        prediction=Prediction(plain, maps),
        input_size=SIZE,
        augmented=tuple(Prediction(each) for each in augmented),
        augmentations=tuple(Augmented(f"same {i}", image, IDENTITY) for i, _ in enumerate(augmented)),
    )
