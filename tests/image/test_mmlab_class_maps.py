"""Class maps and probabilities from what heads of different kinds give."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from common.mmlab.model.class_maps import class_maps
from common.mmlab.model.probabilities import best_class, probabilities_of


class Head:
    """Three classes and two anchors, sigmoid."""

    num_classes = 3


class SSDHead(Head):
    cls_out_channels = 4
    use_sigmoid_cls = False


class TOODHead(Head):
    pass


class YOLOV3Head(Head):
    pass


def cells(*channels: float) -> list[torch.Tensor]:
    """One scale of 1 x 2 equal cells."""
    return [torch.tensor(channels).view(1, -1, 1, 1).expand(1, len(channels), 1, 2)]


def one_cell(head: Head, *outputs: list[torch.Tensor]) -> list[float]:
    (scale,) = class_maps(head, outputs)
    assert scale.shape == (1, 3, 1, 2)
    return scale[0, :, 0, 0].tolist()


def sigmoid(*values: float) -> Any:
    return pytest.approx([1 / (1 + np.exp(-value)) for value in values])


def test_a_class_map_holds_the_largest_probability_of_the_anchors() -> None:
    assert one_cell(Head(), cells(1, 2, 3, 3, 2, 1), cells(*[9] * 8)) == sigmoid(3, 2, 3)


def test_a_class_map_is_multiplied_with_the_objectness_of_each_anchor() -> None:
    joint = one_cell(Head(), cells(1, 2, 3, 3, 2, 1), cells(*[9] * 8), cells(20, -20))
    assert joint == sigmoid(1, 2, 3)
    assert one_cell(Head(), cells(1, 2, 3, 3, 2, 1), cells(*[9] * 8), cells(*[9] * 16)) == sigmoid(3, 2, 3)


def test_the_background_of_a_softmax_head_is_left_out() -> None:
    assert one_cell(SSDHead(), cells(0, 0, 0, np.log(7)), cells(*[9] * 4)) == pytest.approx([0.1, 0.1, 0.1])


def test_a_head_that_gives_probabilities_is_taken_at_its_word() -> None:
    assert one_cell(TOODHead(), cells(0.1, 0.2, 0.3), cells(*[9] * 4)) == pytest.approx([0.1, 0.2, 0.3])


def test_yolov3_gives_everything_in_one_list() -> None:
    assert one_cell(YOLOV3Head(), cells(9, 9, 9, 9, 20, 1, 2, 3)) == sigmoid(1, 2, 3)


def results(scores: Sequence[float], labels: Sequence[int], **more: torch.Tensor) -> Any:
    return InstanceData(scores=torch.tensor(scores), labels=torch.tensor(labels), **more)


def test_a_detector_of_an_unknown_kind_tells_the_score_alone() -> None:
    assert probabilities_of(results([0.5, 0.25], [2, 0]), 3).tolist() == [[0, 0, 0.5], [0.25, 0, 0]]


def test_a_factor_of_the_score_applies_to_all_classes() -> None:
    rows = torch.tensor([[0.2, 0.4, 0.8]])
    assert probabilities_of(results([0.4], [2], probabilities=rows), 3).tolist() == [pytest.approx([0.1, 0.2, 0.4])]


def test_only_the_best_class_of_a_place_stays_and_the_first_of_equals() -> None:
    scores = torch.tensor([[0.1, 0.3, 0.2], [0.5, 0.5, 0.0]])
    assert best_class(scores).tolist() == [pytest.approx([0, 0.3, 0]), [0.5, 0, 0]]
