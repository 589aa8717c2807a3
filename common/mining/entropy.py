"""Entropy mining: how unsure the model is about the objects that it reports."""

from typing import Final

from common.mining.algorithm import Algorithm, Evidence
from common.mining.information import binary_entropy
from common.mining.settings import MiningSettings


def score(evidence: Evidence, _settings: MiningSettings) -> float:
    """Sum over the final detections of the binary entropy H_b of their scores; 0 without any detection.

    Source: Joshi, Porikli, Papanikolopoulos, "Multi-class active learning for image classification", CVPR 2009, for the
    entropy of a prediction; Yang, Huang, Crowley, "Plug and Play Active Learning for Object Detection", CVPR 2024,
    arXiv:2211.11612, for the full binary entropy, summed over detections.
    """
    return float(binary_entropy(evidence.prediction.detections.scores).sum(dtype=float))


ENTROPY: Final = Algorithm(
    name="entropy",
    score=score,
    paper="Joshi, Porikli, Papanikolopoulos: Multi-class active learning for image classification. CVPR 2009",
)
