"""What a model says about one image: arrays, validated once at the border between framework and engine."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Detections:
    """The final boxes of one image, best first.

    Attributes:
        boxes: `(n, 4)` float32, corners `x1, y1, x2, y2` in pixels; the max corner is exclusive (width = x2 - x1).
        scores: `(n,)` float32 in [0, 1].
        classes: `(n,)` int64, positions in the task's class names.
        probabilities: `(n, K)` float32, the probability of each of the K classes for the box, as the model gave it.
            Rows of a sigmoid head need not sum to 1.

    Raises:
        ValueError: a shape does not fit, or a number is not finite.
    """

    boxes: Floats
    scores: Floats
    classes: Ints
    probabilities: Floats

    def __post_init__(self) -> None:
        n = len(self.scores)
        _expect("boxes", self.boxes, (n, 4))
        _expect("scores", self.scores, (n,))
        _expect("classes", self.classes, (n,))
        _expect("probabilities", self.probabilities, (n, self.probabilities.shape[-1]))

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls, class_count: int) -> Self:
        """No box at all, for a model of `class_count` classes."""
        return cls(
            boxes=np.zeros((0, 4), np.float32),
            scores=np.zeros(0, np.float32),
            classes=np.zeros(0, np.int64),
            probabilities=np.zeros((0, class_count), np.float32),
        )

    def with_boxes(self, boxes: Floats) -> Self:
        """The same objects with other coordinates, `(n, 4)`."""
        return type(self)(boxes, self.scores, self.classes, self.probabilities)


@dataclass(frozen=True, slots=True)
class Prediction:
    """All that one forward pass gives for one image.

    Attributes:
        detections: the boxes after non-maximum suppression, in pixels of the model's input.
        class_maps: one `(K, h, w)` float32 array per output scale: the probability of each class at each cell, before
            any threshold; empty when nobody asked for them.
    """

    detections: Detections
    class_maps: tuple[Floats, ...] = ()


def _expect(name: str, array: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
