"""Interface between the engine and mining algorithms: evidence, algorithms and scores."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from common.arrays import Bools, Pixels, Segments
from common.boxes.affine import Matrix
from common.predictions import Detections, Prediction
from common.task.mining_settings import MiningSettings


@dataclass(frozen=True, slots=True)
class Augmented:
    """An augmented copy of a model input, and the map of its boxes.

    Attributes:
        name: name of the augmentation, for people.
        image: `(H, W, 3)` uint8, the size of the plain input.
        matrix: maps the plain input to the augmented one.
    """

    name: str
    image: Pixels
    matrix: Matrix

    def move(self, detections: Detections) -> Detections:
        """Move objects of the plain input to their places in the augmented one."""
        return detections.moved(self.matrix, self.image.shape[:2])


@dataclass(frozen=True, slots=True)
class Evidence:
    """Input of a score: everything that it may depend on, for one image.

    Attributes:
        name: base name of the image file, with its extension.
        prediction: prediction for the plain input; empty for an algorithm that does not need a model.
        input_size: height and width of the model input, in pixels.
        augmented: predictions for the augmented inputs, in the order of `augmentations`.
        augmentations: result of `Algorithm.augment`.
        segments: result of `PoolMeasure.segment`.
        passes: results of `Algorithm.observe`, one per pass with dropout.
    """

    name: str
    prediction: Prediction
    input_size: tuple[int, int]
    augmented: tuple[Prediction, ...] = ()
    augmentations: tuple[Augmented, ...] = ()
    segments: Segments | None = None
    passes: tuple[object, ...] = ()


Score = Callable[[Evidence, MiningSettings], float]
Observe = Callable[[Prediction], object]
Augment = Callable[[Pixels, Detections, np.random.Generator], tuple[Augmented, ...]]


class Judge(Protocol):
    """Scores images once the regions of the whole pool are known."""

    def score(self, summary: bytes) -> float:
        """Score an image; the image with the highest score is labelled first."""

    def to_label(self, summary: bytes, image: Pixels) -> Bools:
        """Mark the pixels of an image that people should label, `(height, width)` of the image as stored."""


Segment = Callable[[Pixels, MiningSettings], Segments]
Summarise = Callable[[Evidence, MiningSettings], bytes]
MakeJudge = Callable[[Sequence[bytes], MiningSettings], Judge]


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A way to score images, and its needs. One of the two kinds below.

    Attributes:
        name: value of the parameter `mining_algorithm`.
        paper: source of the measure.
        needs_model: whether `Evidence.prediction` must be a model's.
        needs_class_maps: whether `Prediction.class_maps` must be filled.
        augment: makes the inputs of the further forward passes from the `(H, W, 3)` uint8 model input, its detections
            and a generator of `seeds.rng`. May return none for an image that can be scored without
            them.
        observe: reduces the prediction of each of `MiningSettings.passes` forward passes with dropout to what the score
            needs.
    """

    name: str
    paper: str
    needs_model: bool = True
    needs_class_maps: bool = False
    augment: Augment | None = None
    observe: Observe | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMeasure(Algorithm):
    """Scores each image by itself.

    Attributes:
        score: measure, in the direction of its paper.
        smaller_is_sooner: whether the paper labels the smallest values first.
    """

    score: Score
    smaller_is_sooner: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolMeasure(Algorithm):
    """Scores regions of images; the score of an image may depend on the regions of the whole pool.

    Attributes:
        summarise: reduces one image to a summary for the pool, a few kB.
        judge: makes the judge from the summaries of all images.
        segment: cuts an image, `(h, w, 3)` uint8 as it is stored, into regions `(h, w)`; called in the threads that
            read images.
    """

    summarise: Summarise
    judge: MakeJudge
    segment: Segment | None = None


def importance(algorithm: ImageMeasure, evidence: Evidence, settings: MiningSettings) -> float:
    """Compute the written score of an image: the image with the highest score is labelled first.

    Raises:
        ValueError: the score is not a finite number, or the evidence lacks what the algorithm needs.
    """
    native = finite(algorithm, evidence.name, algorithm.score(evidence, settings))
    # Subtracting keeps an exact zero from being written as -0.0.
    return 0.0 - native if algorithm.smaller_is_sooner else native


def finite(algorithm: Algorithm, name: str, score: float) -> float:
    """Return the score of the image `name` if it can be ranked.

    Raises:
        ValueError: the score is NaN or infinite.
    """
    if not math.isfinite(score):
        raise ValueError(f"{name}: {algorithm.name} gives {score}; expected a finite score")
    return score
