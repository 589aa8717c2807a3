"""The sample data: seeded, boxes tight around what can be seen."""

import numpy as np
import pytest

from workbench import scene as renderer
from workbench.paint import Exposure
from workbench.shapes import CLASS_NAMES, CROWDED, PLAIN, Scene, render

RAW = Exposure(gain=(1, 1), blur=(0, 0), noise=(0, 0))
FLAT = Scene(objects=(1, 1), distractors=(0, 0), exposure=RAW, empty_share=0.0)


def test_an_image_depends_on_its_seed_and_its_number_alone():
    three, five = render(3, seed=4), render(5, seed=4)
    for one, same in zip(three, five, strict=False):
        assert np.array_equal(one.image, same.image)
        assert np.array_equal(one.boxes, same.boxes)
    assert not np.array_equal(render(1, seed=5)[0].image[:192, :192], three[0].image[:192, :192])


@pytest.mark.parametrize("scene", [PLAIN, CROWDED])
def test_every_box_lies_within_its_image_and_has_a_class(scene):
    samples = render(8, seed=0, scene=scene)
    assert sum(len(sample.classes) for sample in samples) >= 8
    for sample in samples:
        height, width = sample.image.shape[:2]
        assert ((sample.boxes[:, :2] >= 0) & (sample.boxes[:, 2:] <= [width, height])).all()
        assert ((sample.boxes[:, 2:] - sample.boxes[:, :2]) >= 4).all()
        assert np.isin(sample.classes, range(len(CLASS_NAMES))).all()


@pytest.mark.parametrize("seed", range(12))
def test_a_box_is_tight_around_the_painted_pixels(monkeypatch, seed):
    monkeypatch.setattr(renderer, "background", lambda _, height, width: np.zeros((height, width, 3), np.float32))
    sample = renderer.render_owned(np.random.default_rng(seed), FLAT)[0]
    ys, xs = np.nonzero(sample.image.max(axis=2))
    painted = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
    assert len(sample.boxes) == 1
    # The border pixels are painted in part; those less than half covered are outside.
    assert np.abs(sample.boxes[0] - painted).max() <= 2


def test_an_object_behind_another_gets_the_box_of_what_is_left_of_it():
    owners = np.full((10, 20), -1, np.int16)
    owners[2:8, 3:15] = 0
    owners[2:8, 9:18] = 1
    assert [renderer.visible_box(owners == index) for index in (0, 1)] == [(3, 2, 9, 8), (9, 2, 18, 8)]


@pytest.mark.parametrize(("share", "objects"), [(1.0, False), (0.0, True)])
def test_the_share_of_empty_images_is_the_scenes(share, objects):
    samples = render(4, seed=1, scene=Scene(empty_share=share))
    assert [bool(len(sample.classes)) for sample in samples] == [objects] * 4


def test_backgrounds_are_textured():
    empty = render(4, seed=2, scene=Scene(distractors=(0, 0), empty_share=1.0))
    assert all(sample.image.reshape(-1, 3).std(axis=0).max() > 8 for sample in empty)
