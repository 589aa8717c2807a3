"""Margin mining."""

from collections.abc import Sequence

import pytest

from common.mining.algorithm import importance
from common.mining.registry import DETECTION
from tests.mining_cases import SETTINGS, detections, evidence

BOX = (0.0, 0.0, 10.0, 10.0)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], 0.0),  # nothing detected
        ([[1.0, 0.0, 0.0]], 0.0),  # nothing in doubt
        ([[0.4, 0.0, 0.4]], 1.0),  # two classes are as likely
        ([[0.1, 0.7, 0.5]], 0.64),  # the two largest count, wherever they stand
        ([[0.4, 0.4, 0.0], [0.7, 0.5, 0.1]], 1.64),  # a sum over boxes
        ([[0.9]], 0.01),  # one class only
    ],
)
def test_margin_is_the_sum_of_how_close_two_classes_are(found: Sequence[Sequence[float]], expected: float) -> None:
    seen = evidence(detections(*[(BOX, probabilities) for probabilities in found]))
    assert importance(DETECTION["margin"], seen, SETTINGS) == pytest.approx(expected, abs=1e-6)
