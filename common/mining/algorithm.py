"""What the engine and a mining algorithm hand each other."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.boxes.affine import Matrix
from common.predictions import Detections, Prediction

Image = NDArray[np.uint8]


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
    """

    name: str
    prediction: Prediction
    input_size: tuple[int, int]
    augmented: tuple[Prediction, ...] = ()
    augmentations: tuple[Augmented, ...] = ()


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """What a task says about mining.

    Attributes:
        task_id: seed of everything random.
        class_weights: parameter `class_distribution_scores`, one weight a class. A missing one counts 1.0, a surplus
            one is left out.
    """

    task_id: str
    class_weights: tuple[float, ...] = ()


Score = Callable[[Evidence, MiningSettings], float]
Augment = Callable[[Image, Detections, np.random.Generator], tuple[Augmented, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A way to score images, and what it needs.

    Attributes:
        name: value of the parameter `mining_algorithm`.
        score: the measure in the direction of its paper.
        paper: where the measure comes from.
        smaller_is_sooner: whether the paper labels the smallest values first.
        needs_model: whether `Evidence.prediction` must be a model's.
        needs_class_maps: whether `Prediction.class_maps` must be filled.
        augment: makes the inputs of the further forward passes from the `(H, W, 3)` uint8 model input, its detections
            and a generator of `seeds.rng`. May give none for an image that the algorithm can score without.
    """

    name: str
    score: Score
    paper: str
    smaller_is_sooner: bool = False
    needs_model: bool = True
    needs_class_maps: bool = False
    augment: Augment | None = None


def importance(algorithm: Algorithm, evidence: Evidence, settings: MiningSettings) -> float:
    """The score that is written: the bigger, the sooner the image should be labelled.

    Raises:
        ValueError: the score is not a finite number, or the evidence lacks what the algorithm needs.
    """
    native = algorithm.score(evidence, settings)
    if not math.isfinite(native):
        raise ValueError(f"{evidence.name}: {algorithm.name} gives {native}; expected a finite score")
    # Subtracting keeps an exact zero from being written as -0.0.
    return 0.0 - native if algorithm.smaller_is_sooner else native
