"""The augmentations of CALD: what is drawn in the image goes where `move` says."""

import numpy as np
import pytest
from numpy.typing import NDArray

from common.boxes.upright import areas
from common.mining.algorithm import Augmented
from common.mining.augment import augment, cutout
from common.mining.seeds import rng
from tests.geometry import upright
from tests.mining_cases import detections, scored

SIZES = [(96, 128), (416, 640), (160, 90)]  # landscape; a real one; portrait
BOX = (40, 20, 80, 60)
Bytes = NDArray[np.uint8]


def drawn(size: tuple[int, int]) -> Bytes:
    image = np.zeros((*size, 3), np.uint8)
    x1, y1, x2, y2 = BOX
    image[y1:y2, x1:x2] = 255
    return image


def changed(image: Bytes) -> dict[str, Augmented]:
    copies = augment(image, detections((BOX, [0.5])), rng("t", "a.jpg"))
    return {each.name: each for each in copies}


def test_there_are_four_in_a_fixed_order() -> None:
    assert list(changed(drawn((96, 128)))) == ["flip", "cutout", "downsize", "rotate"]


def test_there_are_none_for_an_image_without_detections() -> None:
    assert augment(drawn((96, 128)), scored(), rng("t", "a.jpg")) == ()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["flip", "cutout", "downsize", "rotate"])
def test_the_size_and_type_of_the_input_stay(name: str, size: tuple[int, int]) -> None:
    image = changed(drawn(size))[name].image
    assert image.shape == (*size, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["flip", "downsize", "rotate"])
def test_a_drawn_rectangle_moves_where_move_says(name: str, size: tuple[int, int]) -> None:
    with_box, without = changed(drawn(size))[name], changed(np.zeros((*size, 3), np.uint8))[name]
    ink = with_box.image[..., 0].astype(float) - without.image[..., 0]
    x1, y1, x2, y2 = with_box.move(upright([BOX])).boxes[0]
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 64) for axis in (1, 0))
    assert [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1] == pytest.approx([x1, y1, x2, y2], abs=1)
    y, x = np.indices(size) + 0.5
    centre = [(x * ink).sum() / ink.sum(), (y * ink).sum() / ink.sum()]
    blur = 0.1 if name == "downsize" else 0.01
    assert centre == pytest.approx([(x1 + x2) / 2, (y1 + y2) / 2], abs=blur)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["flip", "cutout", "downsize", "rotate"])
def test_nothing_leaves_the_input(name: str, size: tuple[int, int]) -> None:
    height, width = size
    whole = np.array([[0, 0, width, height], [-9, -9, width + 9, height + 9]], np.float32)
    moved = changed(drawn(size))[name].move(upright(whole)).boxes
    assert moved.dtype == np.float32
    assert (moved >= 0).all()
    assert (moved <= [width, height, width, height]).all()


def test_no_box_is_moved_to_no_box() -> None:
    shapes = [each.move(upright([])).boxes.shape for each in changed(drawn((96, 128))).values()]
    assert shapes == [(0, 4)] * 4


def test_what_downsizing_and_rotating_uncover_is_the_grey_of_letterboxing() -> None:
    copies = changed(np.full((96, 128, 3), 255, np.uint8))
    assert copies["downsize"].image[-1, -1].tolist() == [114, 114, 114]
    assert copies["rotate"].image[0, 0].tolist() == [114, 114, 114]


def test_the_corners_of_the_input_stay_visible_when_rotated() -> None:
    corners = np.array([[0, 0, 2, 2], [126, 0, 128, 2], [0, 94, 2, 96], [126, 94, 128, 96]], np.float32)
    moved = changed(drawn((96, 128)))["rotate"].move(upright(corners)).boxes
    assert (areas(moved) > 3).all()


def test_rotation_is_counter_clockwise() -> None:
    right = np.array([[108, 44, 116, 52]], np.float32)
    _, top, _, bottom = changed(drawn((96, 128)))["rotate"].move(upright(right)).boxes[0]
    assert (top + bottom) / 2 < 48 - 3


@pytest.mark.parametrize("holes", [1, 2])
def test_holes_are_black_and_cover_the_accepted_share_of_the_box(holes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.mining.augment.HOLES", holes)
    white = np.full((200, 300, 3), 255, np.uint8)
    x1, y1, x2, y2 = box = (100, 60, 170, 110)
    images = [cutout(white, upright([box]), np.random.default_rng(seed)).image for seed in range(20)]
    black = np.stack(images)[..., 0] == 0
    covered = black[:, y1:y2, x1:x2].mean(axis=(1, 2))
    cut = covered > 0
    assert cut.sum() > 15
    assert (covered[cut] >= 0.1).all()
    assert (covered <= holes * 0.4).all()
    assert (black.mean(axis=(1, 2)) <= holes * 0.2 * 0.2).all()
    assert (np.stack(images)[~black] == 255).all()


def test_the_given_image_is_not_written_to() -> None:
    white = np.full((200, 300, 3), 255, np.uint8)
    white.flags.writeable = False
    assert augment(white, detections(((100, 60, 170, 110), [0.5])), np.random.default_rng(1))[1].image.min() == 0


def test_no_hole_is_cut_where_no_trial_fits() -> None:
    white = np.full((200, 300, 3), 255, np.uint8)
    whole = np.array([[0, 0, 300, 200]], np.float32)
    assert (cutout(white, upright(whole), np.random.default_rng(0)).image == 255).all()


def test_the_holes_are_the_same_in_every_run_of_a_task_and_differ_between_images() -> None:
    image, found = drawn((96, 128)), detections((BOX, [0.5]))
    first, again, other = (augment(image, found, rng("t", name))[1].image for name in ("a.jpg", "a.jpg", "b.jpg"))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
