"""What the engine and a mining algorithm hand each other."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from common.boxes.affine import Matrix
from common.mining.settings import MiningSettings
from common.predictions import Detections, Prediction

Image = NDArray[np.uint8]
Labels = NDArray[np.int32]
"""`(h, w)`, the region of each pixel; every number from 0 to the last one occurs."""


@dataclass(frozen=True, slots=True)
class Augmented:
    """A changed copy of a model input, and where its boxes went.

    Attributes:
        name: what was done, for people.
        image: `(H, W, 3)` uint8, the size of the plain input.
        matrix: maps the plain input to the changed one.
    """

    name: str
    image: Image
    matrix: Matrix

    def move(self, detections: Detections) -> Detections:
        """Where the objects of the plain input are in the changed one."""
        return detections.moved(self.matrix, self.image.shape[:2])


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a score may depend on, about one image.

    Attributes:
        name: base name of the image file, with its extension.
        prediction: of the plain input; without any detection for an algorithm that needs no model.
        input_size: height and width of the model input, in pixels.
        augmented: predictions on the changed inputs, in the order of `augmentations`.
        augmentations: what `Algorithm.augment` gave.
        segments: what `Algorithm.segment` gave.
        passes: what `Algorithm.observe` made of each pass with dropout.
    """

    name: str
    prediction: Prediction
    input_size: tuple[int, int]
    augmented: tuple[Prediction, ...] = ()
    augmentations: tuple[Augmented, ...] = ()
    segments: Labels | None = None
    passes: tuple[Any, ...] = ()


Score = Callable[[Evidence, MiningSettings], float]
Augment = Callable[[Image, Detections, np.random.Generator], tuple[Augmented, ...]]


class Judge(Protocol):
    """What is known once the regions of every image of a pool are: what each of them counts."""

    def score(self, summary: bytes) -> float:
        """What an image counts: the bigger, the sooner."""

    def to_label(self, summary: bytes, image: Image) -> NDArray[np.bool_]:
        """The pixels of an image that people should label, `(height, width)` of the image as stored."""


class RegionMeasure(Protocol):
    """A measure of the regions of images; what an image counts may depend on the regions of the whole pool."""

    def summarise(self, evidence: Evidence, settings: MiningSettings) -> bytes:
        """All that the pool needs to know of one image: a few kB."""

    def judge(self, pool: Sequence[bytes], settings: MiningSettings) -> Judge:
        """Look at the summaries of all images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A way to score images, and what it needs.

    Attributes:
        name: value of the parameter `mining_algorithm`.
        score: the measure of an image, in the direction of its paper; None where `regions` measures.
        regions: the measure of an image's regions; None where `score` measures.
        paper: where the measure comes from.
        smaller_is_sooner: whether the paper labels the smallest values first.
        needs_model: whether `Evidence.prediction` must be a model's.
        needs_class_maps: whether `Prediction.class_maps` must be filled.
        augment: makes the inputs of the further forward passes from the `(H, W, 3)` uint8 model input, its detections
            and a generator of `seeds.rng`. May give none for an image that the algorithm can score without.
        segment: cuts an image, `(h, w, 3)` uint8 as it is stored, into regions `(h, w)`; called in the threads that
            read.
        observe: reduces what a forward pass with dropout gives to what the score needs. There are
            `MiningSettings.passes` of them.
    """

    name: str
    score: Score | None = None
    regions: RegionMeasure | None = None
    paper: str
    smaller_is_sooner: bool = False
    needs_model: bool = True
    needs_class_maps: bool = False
    augment: Augment | None = None
    segment: Callable[[Image, MiningSettings], Labels] | None = None
    observe: Callable[[Prediction], Any] | None = None


def importance(algorithm: Algorithm, evidence: Evidence, settings: MiningSettings) -> float:
    """The score that is written: the bigger, the sooner the image should be labelled.

    Raises:
        ValueError: the score is not a finite number, or the evidence lacks what the algorithm needs.
    """
    assert algorithm.score is not None
    native = algorithm.score(evidence, settings)
    if not math.isfinite(native):
        raise ValueError(f"{evidence.name}: {algorithm.name} gives {native}; expected a finite score")
    # Subtracting keeps an exact zero from being written as -0.0.
    return 0.0 - native if algorithm.smaller_is_sooner else native
