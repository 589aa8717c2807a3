"""infer-result.json, as the platform's parser demands it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.images.letterbox import letterbox
from common.predictions import Detections
from common.results.detection import annotations, write_infer_result
from common.results.records import Annotation, Box

NAMES = ("dog", "黑 cat")


def detections_of(*boxes: tuple[float, ...], score: float = 0.5, label: int = 0) -> Detections:
    n = len(boxes)
    return Detections(
        boxes=np.array(boxes, np.float32).reshape(n, 4),
        scores=np.full(n, score, np.float32),
        classes=np.full(n, label, np.int64),
        probabilities=np.full((n, 3), score, np.float32),
    )


def test_an_object_is_written_as_the_platform_reads_it(tmp_path: Path) -> None:
    found = annotations(detections_of((3, 4, 13, 24), score=0.25, label=1), NAMES)
    path = tmp_path / "out" / "infer-result.json"
    write_infer_result(path, [("a b.JPG", found), ("图", ()), ('quote".png', found * 2)])
    expected = {"box": {"x": 3, "y": 4, "w": 10, "h": 20}, "class_name": "黑 cat", "score": 0.25}
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content == {
        "detection": {
            "a b.JPG": {"boxes": [expected]},
            "图": {"boxes": []},
            'quote".png': {"boxes": [expected, expected]},
        }
    }
    box = content["detection"]["a b.JPG"]["boxes"][0]["box"]
    assert {type(value) for value in box.values()} == {int}  # a fraction would fail the whole task
    assert list(content["detection"]) == ["a b.JPG", "图", 'quote".png']


def test_platform_1_1_reads_another_key(tmp_path: Path) -> None:
    path = tmp_path / "infer-result.json"
    write_infer_result(path, [("a.jpg", (Annotation(Box(0, 0, 1, 1), "dog", 0.5),))], legacy=True)
    [image] = json.loads(path.read_text(encoding="utf-8"))["detection"].values()
    assert list(image) == ["annotations"]
    assert image["annotations"][0]["score"] == 0.5


def test_no_image_at_all_is_valid_json(tmp_path: Path) -> None:
    write_infer_result(tmp_path / "infer-result.json", [])
    assert json.loads((tmp_path / "infer-result.json").read_bytes()) == {"detection": {}}


def test_a_failure_half_way_leaves_the_old_result(tmp_path: Path) -> None:
    path = tmp_path / "infer-result.json"
    write_infer_result(path, [("a.jpg", ())])
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        write_infer_result(path, ((f"{1 // i}.jpg", ()) for i in (1, 0)))
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [before]


@pytest.mark.parametrize(
    ("box", "written"),
    [
        ((3.0, 4.0, 13.0, 24.0), Box(3, 4, 10, 20)),
        ((3.4, 4.4, 12.6, 23.6), Box(3, 4, 10, 20)),  # to the nearest corner
        ((2.9, 3.9, 13.4, 24.4), Box(3, 4, 10, 20)),
        ((5.1, 5.1, 5.3, 9.0), Box(4, 5, 1, 4)),  # at least one pixel wide, and within the image
        ((5.0, 5.0, 9.0, 5.0), Box(5, 4, 4, 1)),  # and high
        ((0.0, 0.0, 0.0, 0.0), Box(0, 0, 1, 1)),
    ],
)
def test_corners_are_rounded_to_whole_pixels(box: tuple[float, ...], written: Box) -> None:
    [annotation] = annotations(detections_of(box), NAMES)
    assert annotation.box == written


@pytest.mark.parametrize(
    ("score", "written"),
    [
        (0.5, 0.5),
        (1.0, 1.0),
        (1.001, 1.0),  # outside of [0, 1] the inference page of the platform breaks
        (-0.001, 0.0),
        (0.123456789, 0.123457),
    ],
)
def test_scores_lie_between_0_and_1(score: float, written: float) -> None:
    [annotation] = annotations(detections_of((0, 0, 9, 9), score=score), NAMES)
    assert annotation.score == written


def test_a_class_that_the_task_does_not_have_is_left_out() -> None:
    assert annotations(detections_of((0, 0, 9, 9), label=2), NAMES) == ()


@given(
    x=st.integers(0, 400),
    y=st.integers(0, 300),
    w=st.integers(1, 200),
    h=st.integers(1, 200),
    right=st.integers(0, 50),
    below=st.integers(0, 50),
    size=st.sampled_from([64, 320, 640]),
)
def test_a_box_of_the_data_set_that_is_predicted_perfectly_comes_back_as_the_same_integers(
    x: int, y: int, w: int, h: int, right: int, below: int, size: int
) -> None:
    placement = letterbox(np.zeros((y + h + below, x + w + right, 3), np.uint8), size, 32).placement
    scale = np.array([placement.scale_x, placement.scale_y] * 2)
    offset = np.array([placement.offset_x, placement.offset_y] * 2)
    predicted = (np.array([[x, y, x + w, y + h]]) * scale + offset).astype(np.float32)
    found = placement.to_image(detections_of((0, 0, 1, 1)).with_boxes(predicted))
    assert annotations(found, NAMES)[0].box == Box(x, y, w, h)
