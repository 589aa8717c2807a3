"""Metrics of class maps: the literal formulas, and never a number that the platform refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from common.results.class_metrics import ClassMetrics
from common.results.semantic_metrics import confusion, semantic_metrics

MAPS = hnp.arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 2, 3, 255]))


@given(st.lists(st.tuples(MAPS, hnp.arrays(np.uint8, (4, 5), elements=st.integers(0, 3))), max_size=3))
def test_class_metrics_are_the_literal_formulas(pairs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    matrix = sum((confusion(truth, predicted, 4) for truth, predicted in pairs), np.zeros((4, 4), np.int64))
    pixels = [(t, p) for truth, predicted in pairs for t, p in zip(truth.flat, predicted.flat, strict=True) if t != 255]
    ious, accuracies = [], []
    for k in range(4):
        both = sum(t == p == k for t, p in pixels)
        either = sum(k in (t, p) for t, p in pixels)
        true = sum(t == k for t, _ in pixels)
        ious += [both / either] if either else []
        accuracies += [both / true] if true else []
    evaluation = semantic_metrics(matrix, "abcd")
    metrics = evaluation.metrics
    assert metrics["mIoU"] == pytest.approx(np.mean(ious) if ious else 0)
    assert metrics["mAcc"] == pytest.approx(np.mean(accuracies) if accuracies else 0)
    assert metrics["aAcc"] == pytest.approx(np.mean([t == p for t, p in pixels]) if pixels else 0)
    assert all(0 <= value <= 1 for value in metrics.values())
    assert [each.first for each in evaluation.classes if each.first is not None] == pytest.approx(ious)
    assert [each.second for each in evaluation.classes if each.second is not None] == pytest.approx(accuracies)
    assert [each.count for each in evaluation.classes] == [sum(t == k for t, _ in pixels) for k in range(4)]


def test_a_class_that_never_occurs_does_not_count_and_one_that_is_only_predicted_does() -> None:
    truth, predicted = np.array([[0, 0, 0, 255]]), np.array([[0, 0, 1, 2]])
    evaluation = semantic_metrics(confusion(truth, predicted, 3), ("sky", "sea", "land"))
    assert evaluation.metrics == {
        "mIoU": pytest.approx((2 / 3 + 0) / 2),
        "mAcc": pytest.approx(2 / 3),
        "aAcc": pytest.approx(2 / 3),
    }
    assert evaluation.classes == (
        ClassMetrics("sky", 2 / 3, 2 / 3, 3),
        ClassMetrics("sea", 0.0, None, 0),
        ClassMetrics("land", None, None, 0),
    )


@pytest.mark.parametrize(
    ("truth", "predicted", "words"),
    [
        (np.array([[3]]), np.array([[0]]), "truth: expected classes 0 to 2, got 3 to 3"),
        (np.array([[0]]), np.array([[255]]), "predicted: expected classes 0 to 2, got 255 to 255"),
        (np.array([[0]]), np.array([0]), r"predicted: expected shape \(1, 1\), got \(1,\)"),
    ],
)
def test_what_is_no_class_is_refused(truth: np.ndarray, predicted: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        confusion(truth, predicted, 3)
