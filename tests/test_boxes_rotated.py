"""Rotated boxes: geometry against shapely's polygons, and the ways of writing one."""

import math

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given
from hypothesis import strategies as st

from common.boxes import rotated
from common.boxes.affine import apply
from common.boxes.convention import Convention
from common.contract import AngleUnit

QUARTER = math.pi / 2
boxes = st.tuples(
    st.floats(-50, 500), st.floats(-50, 500), st.floats(1, 300), st.floats(1, 300), st.floats(-4 * math.pi, 4 * math.pi)
)


def polygon(box: tuple[float, ...]) -> shapely.Polygon:
    """Built in shapely's own way: an upright box, turned. Its positive angles turn x towards y, as ours."""
    cx, cy, w, h, angle = box
    upright = shapely.box(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    return shapely.affinity.rotate(upright, angle, origin=(cx, cy), use_radians=True)


def same(first: shapely.Polygon, second: shapely.Polygon) -> bool:
    return first.hausdorff_distance(second) < 1e-6 * max(first.length, 1)


@given(boxes)
def test_corners_are_those_of_the_turned_box(box: tuple[float, ...]) -> None:
    assert same(shapely.Polygon(rotated.corners(np.array([box]))[0]), polygon(box))


def test_a_positive_angle_turns_clockwise_as_one_sees_it() -> None:
    [corners] = rotated.corners(np.array([[0, 0, 10, 2, QUARTER / 3]]))
    right = corners[1:3].mean(axis=0)
    assert right.tolist() == pytest.approx([5 * math.cos(QUARTER / 3), 5 * math.sin(QUARTER / 3)])
    assert right[1] > 0  # below the centre


@given(boxes)
def test_the_platform_stores_a_box_before_it_is_turned(box: tuple[float, ...]) -> None:
    cx, cy, w, h, angle = box
    upright = np.array([[cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]])
    assert rotated.from_upright(upright, np.array([angle]))[0].tolist() == pytest.approx(box, abs=1e-9)


@given(boxes)
def test_the_enclosing_box_is_the_smallest(box: tuple[float, ...]) -> None:
    assert rotated.enclosing(np.array([box]))[0].tolist() == pytest.approx(polygon(box).bounds, abs=1e-6)


def test_the_overlap_is_that_of_the_polygons() -> None:
    rng = np.random.default_rng(0)
    first, second = (
        np.column_stack([rng.uniform(0, 60, (40, 2)), rng.uniform(1, 60, (40, 2)), rng.uniform(-9, 9, 40)])
        for _ in range(2)
    )
    expected = [
        [polygon(one).intersection(other).area / polygon(one).union(other).area for other in map(polygon, second)]
        for one in first
    ]
    np.testing.assert_allclose(rotated.iou(first, second), expected, atol=1e-6)


@given(boxes, st.integers(-9, 9))
def test_the_same_rectangle_overlaps_itself_completely_however_it_is_written(
    box: tuple[float, ...], turns: int
) -> None:
    cx, cy, w, h, angle = box
    sides = (h, w) if turns % 2 else (w, h)
    again = (cx, cy, *sides, angle + turns * QUARTER)
    assert rotated.iou(np.array([box]), np.array([again]))[0, 0] == pytest.approx(1, abs=1e-5)


def test_boxes_without_area_overlap_nothing() -> None:
    thin = np.array([[5, 5, 0, 9, 0.3], [5, 5, 9, 9, 0.3]])
    assert rotated.iou(thin, thin).tolist() == [[0, 0], [0, pytest.approx(1)]]
    assert rotated.iou(thin[:0], thin).shape == (0, 2)


@given(boxes, st.floats(-7, 7), st.floats(0.2, 4), st.booleans())
def test_a_similarity_moves_a_box_where_it_moves_its_corners(
    box: tuple[float, ...], turn: float, scale: float, flip: bool
) -> None:
    cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
    matrix = np.array([[cosine, -sine, 11], [sine, cosine, -7]]) @ np.diag([-1 if flip else 1, 1, 1])
    one = np.array([box])
    moved = shapely.Polygon(rotated.corners(rotated.move(one, matrix))[0])
    assert same(moved, shapely.Polygon(apply(matrix, rotated.corners(one)[0])))


def test_a_long_box_keeps_its_direction_where_a_map_stretches() -> None:
    stretched = np.array([[2.0, 0, 0], [0, 1.0, 0]])
    along, across = np.array([[0, 0, 100, 2, 0.5]]), np.array([[0, 0, 2, 100, 0.5 - QUARTER]])
    for box in (along, across):
        moved = rotated.move(box, stretched)
        [far] = apply(stretched, np.array([[50 * math.cos(0.5), 50 * math.sin(0.5)]]))
        assert math.tan(math.atan2(far[1], far[0])) == pytest.approx(
            math.tan(moved[0, 4] + (QUARTER if moved[0, 2] < moved[0, 3] else 0))
        )
        assert moved[0, 2:4].max() == pytest.approx(2 * np.hypot(*far))


CONVENTIONS = [Convention(), Convention(start=0.0), Convention(start=-QUARTER, long_side=True), Convention(start=2.5)]


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(boxes)
def test_a_convention_writes_the_same_rectangle_within_its_range(
    convention: Convention, box: tuple[float, ...]
) -> None:
    written = convention.apply(np.array([box]))
    assert same(polygon(written[0]), polygon(box))
    room = 2 * QUARTER if convention.long_side else QUARTER
    assert -1e-9 <= written[0, 4] - convention.start <= room + 1e-9
    assert not convention.long_side or np.rint(written[0, 2]) >= np.rint(written[0, 3])


def long(*angles: float) -> np.ndarray:
    return np.array([(50, 40, 30, 10, angle) for angle in angles])


@pytest.mark.parametrize(
    ("angles", "expected"),
    [
        ([0, 0, 0], (-QUARTER / 2, False)),  # nothing is rotated
        ([0.1, 0.5, 1.5], (0.8 - QUARTER / 2, False)),  # as OpenCV's minAreaRect gives them
        ([-1.5, -0.7, 1.5], (-QUARTER, True)),  # le90
        ([0.1, 1.0, 3.1], (0.1 + 1.5 - QUARTER, True)),
        ([-3.1, 1.0, 3.1], (-QUARTER / 2, False)),  # all around
    ],
)
def test_the_convention_of_a_data_set_is_seen_in_its_angles(angles: list[float], expected: tuple[float, bool]) -> None:
    found = Convention.of(long(*angles), AngleUnit.PI)
    assert (found.start, found.long_side) == (pytest.approx(expected[0]), expected[1])
    assert found.unit is AngleUnit.PI


def test_boxes_that_are_also_tall_have_no_longer_side_first() -> None:
    assert not Convention.of(np.vstack([long(-1.5, 1.5), [50, 40, 10, 30, 0]]), AngleUnit.RADIAN).long_side


def test_a_data_set_without_objects_has_the_smallest_turns() -> None:
    assert Convention.of(np.zeros((0, 5)), AngleUnit.RADIAN) == Convention()


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_convention_survives_a_configuration_file(convention: Convention) -> None:
    assert Convention.from_dict(convention.as_dict()) == convention
