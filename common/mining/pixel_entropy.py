"""Entropy mining of a semantic model: how unsure it is about the class of a pixel."""

from typing import Final

from common.mining.algorithm import Algorithm, Evidence
from common.mining.pixels import entropy
from common.mining.settings import MiningSettings


def score(evidence: Evidence, _settings: MiningSettings) -> float:
    """Mean over the pixels of the entropy of their classes, divided by ln K: in [0, 1].

    Source: Joshi, Porikli, Papanikolopoulos, "Multi-class active learning for image classification", CVPR 2009, for the
    entropy of a prediction. The mean, and not the sum, so that large images do not come first for being large.

    Raises:
        ValueError: the model says nothing about pixels.
    """
    if evidence.prediction.pixels is None:
        raise ValueError(f"{evidence.name}: entropy needs the classes of the pixels")
    return float(entropy(evidence.prediction.pixels.probabilities()).mean(dtype=float))


PIXEL_ENTROPY: Final = Algorithm(
    name="entropy",
    score=score,
    paper="Joshi, Porikli, Papanikolopoulos: Multi-class active learning for image classification. CVPR 2009",
)
