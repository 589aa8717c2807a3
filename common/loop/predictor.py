"""Interface between adapter and loop: a model that turns a batch of pixels into predictions."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from common.arrays import Batch, Pixels
from common.images.letterbox import Prepared
from common.predictions import Prediction


class Predictor(Protocol):
    """A model, as an adapter provides it. It knows nothing of files, tasks or mining.

    Attributes:
        class_names: class names of the model.
    """

    class_names: Sequence[str]

    def prepare(self, image: Pixels) -> Prepared:
        """Fit one `(h, w, 3)` BGR image to the model's input. Called in threads; must not depend on other images."""

    def predict(self, batch: Batch, *, class_maps: bool) -> list[Prediction]:
        """Run one forward pass of a `(B, H, W, 3)` batch; boxes in pixels of the input, class maps only on request."""


class DropoutPredictor(Predictor, Protocol):
    """A predictor whose model can also run with dropout."""

    def predict_dropout(self, batch: Batch, passes: Sequence[Sequence[int]]) -> Iterator[list[Prediction]]:
        """Run forward passes with dropout. The mask of an image depends on its seed and on nothing else.

        Args:
            batch: `(B, H, W, 3)`.
            passes: B seeds per pass.
        """
