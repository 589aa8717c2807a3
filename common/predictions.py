"""Predictions for one image: arrays, validated once at the boundary between framework and engine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from common.arrays import Doubles, Floats, Ints
from common.boxes import rotated, upright
from common.boxes.affine import Matrix
from common.boxes.convention import SMALLEST_TURNS, Convention
from common.masks.prototypes import Prototypes

MAX_DETECTIONS: Final = 300
"""Most upright boxes of one image. Detectors of rotated boxes have limits of their own."""


@dataclass(frozen=True, slots=True)
class Detections:
    """The final boxes of one image, best first.

    Attributes:
        boxes: `(n, 4)` float32, corners `x1, y1, x2, y2` in pixels; the max corner is exclusive (width = x2 - x1).
        scores: `(n,)` float32 in [0, 1].
        classes: `(n,)` int64, positions in the task's class names.
        probabilities: `(n, K)` float32, probability of each of the K classes per box, as the model gave it.
            Rows of a sigmoid head need not sum to 1.

    Raises:
        ValueError: a shape does not fit, or a number is not finite.
    """

    boxes: Floats
    scores: Floats
    classes: Ints
    probabilities: Floats

    NUMBERS: ClassVar[int] = 4
    """Numbers per box."""

    def __post_init__(self) -> None:
        n = len(self.scores)
        _expect("boxes", self.boxes, (n, self.NUMBERS))
        _expect("scores", self.scores, (n,))
        _expect("classes", self.classes, (n,))
        _expect("probabilities", self.probabilities, (n, self.probabilities.shape[-1]))

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls, class_count: int) -> Self:
        """Make an empty result for a model of `class_count` classes."""
        return cls(
            boxes=np.zeros((0, cls.NUMBERS), np.float32),
            scores=np.zeros(0, np.float32),
            classes=np.zeros(0, np.int64),
            probabilities=np.zeros((0, class_count), np.float32),
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Concatenate one or more parts and sort by score, best first; equal scores keep the order of the parts."""
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("boxes", "scores", "classes", "probabilities")
        }
        return replace(parts[0], **columns).take(np.argsort(-columns["scores"], kind="stable"))

    def take(self, rows: Ints) -> Self:
        """Select the objects at these positions, in this order."""
        return replace(
            self,
            boxes=self.boxes[rows],
            scores=self.scores[rows],
            classes=self.classes[rows],
            probabilities=self.probabilities[rows],
        )

    def with_boxes(self, boxes: Floats) -> Self:
        """Replace the boxes."""
        return replace(self, boxes=boxes)

    def moved(self, matrix: Matrix, size: tuple[int, int]) -> Self:
        """Apply an affine map into an image of `size` (height, width).

        An upright box becomes the upright box that encloses its image, clipped to the image.
        """
        return self.with_boxes(upright.move(self.boxes, matrix, size).astype(np.float32))

    def iou(self, other: Self) -> Doubles:
        """Pairwise intersection over union of the n boxes with the m others, `(n, m)`."""
        return upright.iou(self.boxes, other.boxes)

    def covered(self, holes: Ints) -> Doubles:
        """Share of each of the n boxes that each of the upright boxes `(m, 4)` covers, `(m, n)`."""
        tiny = np.finfo(np.float32).tiny
        return upright.intersections(holes, self.boxes) / np.maximum(upright.areas(self.boxes), tiny)


@dataclass(frozen=True, slots=True)
class RotatedDetections(Detections):
    """The final rotated boxes of one image, best first.

    Attributes:
        boxes: `(n, 5)` float32, `cx, cy, w, h` in pixels and an angle in radians, see `boxes.rotated`. They may reach
            beyond the image: a rotated box that is cut at the border is not a rotated box any more.
        convention: the way in which the data set writes them.
    """

    convention: Convention = SMALLEST_TURNS

    NUMBERS: ClassVar[int] = 5

    def moved(self, matrix: Matrix, size: tuple[int, int]) -> Self:
        """See `Detections`. Each becomes the rotated box nearest to its image under the map; not clipped."""
        return self.with_boxes(rotated.move(self.boxes, matrix).astype(np.float32))

    def iou(self, other: Self) -> Doubles:
        """See `Detections`."""
        return rotated.iou(self.boxes, other.boxes)

    def covered(self, holes: Ints) -> Doubles:
        """See `Detections`."""
        tiny = np.finfo(np.float32).tiny
        turned = rotated.from_upright(holes, np.zeros(len(holes)))
        return rotated.intersections(turned, self.boxes) / np.maximum(rotated.areas(self.boxes), tiny)


class PixelClasses(Protocol):
    """Pixel classes of one image, computed on the model's device and only on demand.

    K includes the background if the model learned it as a class; it is the last one then.
    """

    def probabilities(self) -> Floats:
        """Class probabilities of each pixel of the model's input: `(K, h, w)` float32, K >= 2, sum 1 over K."""

    def labels(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """Most probable class of each pixel of the image at its own `size`: `(height, width)` uint8."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Result of one forward pass for one image.

    Attributes:
        detections: boxes after non-maximum suppression, in pixels of the model's input.
        class_maps: one `(K, h, w)` float32 array per output scale: the probability of each class at each cell, before
            any threshold; empty unless requested.
        masks: masks of the detections, from a model of instance segmentation.
        pixels: classes of the pixels, from a semantic model, which has no detections. Its inputs have no border.
    """

    detections: Detections
    class_maps: tuple[Floats, ...] = ()
    masks: Prototypes | None = None
    pixels: PixelClasses | None = None


def _expect(name: str, array: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
