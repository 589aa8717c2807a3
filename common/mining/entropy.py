"""Entropy mining: uncertainty of a model about its objects, or about the classes of pixels."""

from typing import Final

from common.mining.algorithm import Evidence, ImageMeasure
from common.mining.measures.information import binary_entropy
from common.mining.measures.pixels import entropy
from common.task.mining_settings import MiningSettings

PAPER: Final = "Joshi, Porikli, Papanikolopoulos: Multi-class active learning for image classification. CVPR 2009"


def score(evidence: Evidence, _settings: MiningSettings) -> float:
    """Sum over the final detections: binary entropy H_b of the score; 0 without any detection.

    Source: Joshi, Porikli, Papanikolopoulos, "Multi-class active learning for image classification", CVPR 2009, for the
    entropy of a prediction; Yang, Huang, Crowley, "Plug and Play Active Learning for Object Detection", CVPR 2024,
    arXiv:2211.11612, for the full binary entropy, summed over detections.
    """
    return float(binary_entropy(evidence.prediction.detections.scores).sum(dtype=float))


def score_of_pixels(evidence: Evidence, _settings: MiningSettings) -> float:
    """Mean over the pixels: entropy of the classes, divided by ln K; in [0, 1].

    Source: Joshi et al., see above, for the entropy of a prediction. The mean, and not the sum, so that large images do
    not come first for being large.

    Raises:
        ValueError: the prediction does not hold classes of pixels.
    """
    if evidence.prediction.pixels is None:
        raise ValueError(f"{evidence.name}: entropy needs the classes of the pixels")
    return float(entropy(evidence.prediction.pixels.probabilities()).mean(dtype=float))


ENTROPY: Final = ImageMeasure(name="entropy", score=score, paper=PAPER)
PIXEL_ENTROPY: Final = ImageMeasure(name="entropy", score=score_of_pixels, paper=PAPER)
