"""A predictor that computes nothing: ten boxes for every image."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.arrays import Pixels
from common.contract import Verb
from common.images.letterbox import Prepared, letterbox
from common.predictions import Detections, Prediction
from common.task.params import Parameters
from common.yolo.params import YoloInfer, YoloMining

CLASS_NAMES = ("a", "b", "c")
BOXES = 10
PARAMETERS: Mapping[Verb, type[Parameters]] = {Verb.MINING: YoloMining, Verb.INFER: YoloInfer}


class Predictor:
    """See `common.loop.predictor.Predictor`."""

    class_names = CLASS_NAMES

    def prepare(self, image: Pixels) -> Prepared:
        """Fit to 64 x 64 pixels."""
        return letterbox(image, 64, 32)

    def predict(self, batch: NDArray[np.uint8], *, class_maps: bool) -> list[Prediction]:
        """New arrays for every image, as a model gives them."""
        return [Prediction(_detections()) for _ in batch]


def load_predictor(*_: Any) -> Predictor:
    """See `common.run.image.Family`."""
    return Predictor()


def _detections() -> Detections:
    near = np.repeat(np.arange(BOXES, dtype=np.float32)[:, None], 2, axis=1)
    scores = np.linspace(0.9, 0.3, BOXES, dtype=np.float32)
    return Detections(
        boxes=np.hstack([near, near + 40]),
        scores=scores,
        classes=np.arange(BOXES) % len(CLASS_NAMES),
        probabilities=np.repeat(scores[:, None], len(CLASS_NAMES), axis=1),
    )
