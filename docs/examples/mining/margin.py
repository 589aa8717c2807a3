"""Margin mining: how close the two likeliest classes of each object are to each other."""

from typing import Final

import numpy as np

from common.mining.algorithm import Evidence, ImageMeasure
from common.task.mining_settings import MiningSettings


def score(evidence: Evidence, _settings: MiningSettings) -> float:
    """Sum over the detections of (1 - (p1 - p2))^2; 0 without any.

    p1 and p2 are the largest and second largest of the K class probabilities of a detection. With one class p2 is 0.

    Source: Brust, Kaeding, Denzler, "Active learning for deep object detection", VISAPP 2019, arXiv:1809.09875.
    """
    probabilities = np.pad(evidence.prediction.detections.probabilities, ((0, 0), (0, 1)))
    second, first = np.sort(probabilities, axis=1)[:, -2:].T
    return float(np.square(1 - (first - second)).sum(dtype=float))


MARGIN: Final = ImageMeasure(
    name="margin",
    score=score,
    paper="Brust, Kaeding, Denzler: Active learning for deep object detection. VISAPP 2019",
)
