"""What an adapter gives the loop: a model that turns a batch of pixels into predictions."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from common.arrays import Batch, Pixels
from common.images.letterbox import Prepared
from common.predictions import Prediction


class Predictor(Protocol):
    """What an adapter gives the loop. It knows nothing of files, tasks or mining.

    Attributes:
        class_names: of the model.
    """

    class_names: Sequence[str]

    def prepare(self, image: Pixels) -> Prepared:
        """Fit one `(h, w, 3)` BGR image to the model's input. Called in threads; must not depend on other images."""

    def predict(self, batch: Batch, *, class_maps: bool) -> list[Prediction]:
        """One forward pass of a `(B, H, W, 3)` batch; boxes in pixels of the input; class maps only if asked for."""


class DropoutPredictor(Predictor, Protocol):
    """A predictor of a model that can be asked again and again, each time with other parts of it left out."""

    def predict_dropout(self, batch: Batch, passes: Sequence[Sequence[int]]) -> Iterator[list[Prediction]]:
        """Forward passes with dropout. What is left out for an image depends on its seed and on nothing else.

        Args:
            batch: `(B, H, W, 3)`.
            passes: B seeds for each pass.
        """
