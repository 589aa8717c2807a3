"""The rotated sample data: seeded, every object fills its rotated box."""

from itertools import pairwise

import numpy as np
import pytest

from common.boxes import rotated
from workbench import scene as renderer
from workbench.paint import Exposure
from workbench.ships import CLASS_NAMES, CROWDED, PLAIN, Scene, cover, render

RAW = Exposure(gain=(1, 1), blur=(0, 0), noise=(0, 0))
LONE = Scene(objects=(1, 1), distractors=(0, 0), exposure=RAW, empty_share=0.0)


def boxes_of(sample):
    return rotated.from_upright(sample.boxes, sample.angles)


def test_an_image_depends_on_its_seed_and_its_number_alone():
    for one, same in zip(render(3, seed=4), render(5, seed=4), strict=False):
        assert np.array_equal(one.image, same.image)
        assert np.array_equal(one.boxes, same.boxes)
        assert np.array_equal(one.angles, same.angles)
    assert not np.array_equal(boxes_of(render(1, seed=5)[0]), boxes_of(render(1, seed=4)[0]))


@pytest.mark.parametrize("scene", [PLAIN, CROWDED])
def test_every_object_lies_within_its_image_beside_the_others(scene):
    samples = render(6, seed=0, scene=scene)
    assert sum(len(sample.classes) for sample in samples) >= 12
    for sample in samples:
        height, width = sample.image.shape[:2]
        boxes = boxes_of(sample)
        corners = rotated.corners(boxes)
        assert ((corners >= 0) & (corners <= [width, height])).all()
        assert np.isin(sample.classes, range(len(CLASS_NAMES))).all()
        shared = rotated.intersections(boxes, boxes)
        assert shared[~np.eye(len(boxes), dtype=bool)].max(initial=0) < 1


@pytest.mark.parametrize("seed", range(12))
def test_the_painted_pixels_reach_all_four_sides_of_the_box_and_no_further(monkeypatch, seed):
    monkeypatch.setattr(renderer, "background", lambda _, height, width: np.zeros((height, width, 3), np.float32))
    monkeypatch.setattr(
        renderer, "paint", lambda _, canvas, alpha: np.maximum(canvas, 255 * alpha[..., None], out=canvas)
    )
    sample = renderer.render_owned(np.random.default_rng(seed), LONE)[0]
    ((x, y, width, height, angle),) = boxes_of(sample).tolist()
    rows, columns = np.nonzero(sample.image[..., 0] >= 64)
    right, down = columns + 0.5 - x, rows + 0.5 - y
    along, across = np.cos(angle) * right + np.sin(angle) * down, np.cos(angle) * down - np.sin(angle) * right
    reach = [-along.min(), along.max(), -across.min(), across.max()]
    assert reach == pytest.approx([width / 2, width / 2, height / 2, height / 2], abs=0.5)


def test_a_polygon_between_pixels_covers_them_in_part():
    half = np.array([[2.0, 3.0], [4.5, 3.0], [4.5, 5.0], [2.0, 5.0]])
    assert cover(half, 6, 6)[2:6, 1:6] == pytest.approx(
        np.array([[0, 0, 0, 0, 0], [0, 1, 1, 0.5, 0], [0, 1, 1, 0.5, 0], [0, 0, 0, 0, 0]]), abs=0.13
    )


def test_objects_lie_at_every_angle_and_all_shapes_occur():
    samples = render(8, seed=1, scene=CROWDED)
    boxes = np.concatenate([boxes_of(sample) for sample in samples])
    angles = np.sort(boxes[:, 4])
    assert angles[0] >= -np.pi / 2
    assert angles[-1] < np.pi / 2
    assert max(after - before for before, after in pairwise([-np.pi / 2, *angles, np.pi / 2])) < np.pi / 18
    assert (boxes[:, 2] >= boxes[:, 3]).all()
    ratios = boxes[:, 3] / boxes[:, 2]
    assert ratios.min() < 0.3
    assert ratios.max() > 0.95
    assert set(np.concatenate([sample.classes for sample in samples])) == set(range(len(CLASS_NAMES)))


@pytest.mark.parametrize(("share", "objects"), [(1.0, False), (0.0, True)])
def test_the_share_of_empty_images_is_the_scenes(share, objects):
    samples = render(4, seed=1, scene=Scene(empty_share=share))
    assert [bool(len(sample.classes)) for sample in samples] == [objects] * 4


def test_an_object_that_finds_no_room_is_left_out():
    full = Scene(objects=(60, 60), scale=(2.0, 2.0), empty_share=0.0)
    assert 0 < len(render(1, seed=0, scene=full)[0].classes) < 60
