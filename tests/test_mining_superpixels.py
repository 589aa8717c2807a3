"""Superpixels of any image, and what maps say about them."""

import cv2
import numpy as np
import pytest

from common.mining.measures.pixels import best_versus_second, entropy, leaders
from common.mining.measures.regions import means, modes
from common.mining.measures.superpixels import NAMES, grid, superpixels

RNG = np.random.default_rng(7)


def noise(height: int, width: int) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3)).astype(np.uint8)


def halves(height: int, width: int) -> np.ndarray:
    """Black on the left, white on the right of a column that no regular grid of 64 cells has a border at."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width * 9 // 16 :] = 255
    return image


def expect_labels(labels: np.ndarray, size: tuple[int, int], most: int) -> None:
    assert labels.shape == size
    assert labels.dtype == np.int32
    assert np.unique(labels).tolist() == list(range(labels.max() + 1))
    assert labels.max() < most


@pytest.mark.parametrize("algorithm", NAMES)
@pytest.mark.parametrize(
    ("size", "most"),
    [((1, 1), 1), ((1, 2), 300), ((2, 3), 2), ((1, 900), 7), ((900, 1), 300), ((3, 500), 300), ((40, 70), 7)],
)
def test_labels_are_complete_and_few_enough_for_any_image(size: tuple[int, int], most: int, algorithm: str) -> None:
    for image in (noise(*size), np.full((*size, 3), 77, np.uint8)):
        expect_labels(superpixels(image, algorithm, most), size, most)


@pytest.mark.parametrize("algorithm", NAMES)
def test_every_pixel_of_a_tiny_image_is_a_region(algorithm: str) -> None:
    assert superpixels(noise(3, 5), algorithm, 15).tolist() == np.arange(15).reshape(3, 5).tolist()


@pytest.mark.parametrize("algorithm", NAMES)
@pytest.mark.parametrize("most", [64, 400])
def test_nearly_as_many_regions_as_allowed_where_there_is_something_to_see(algorithm: str, most: int) -> None:
    smooth = cv2.resize(noise(6, 8), (256, 192), interpolation=cv2.INTER_CUBIC)
    labels = superpixels(smooth, algorithm, most)
    expect_labels(labels, (192, 256), most)
    assert labels.max() + 1 >= (0.5 if algorithm == "mslic" else 0.85) * most


@pytest.mark.parametrize("algorithm", NAMES)
def test_regions_follow_an_edge(algorithm: str) -> None:
    image = halves(128, 160)
    labels = superpixels(image, algorithm, 64)
    white = (image[..., 0] > 0).astype(np.float32)
    wrong = np.abs(means(white, labels).round()[labels] - white).mean()
    assert wrong < 0.01  # the regular grid of 8 x 8 cells has 6 %


@pytest.mark.parametrize("algorithm", NAMES)
def test_labels_are_the_same_every_time(algorithm: str) -> None:
    image = noise(50, 80)
    assert (superpixels(image, algorithm, 50) == superpixels(image, algorithm, 50)).all()


def test_unknown_algorithms_and_no_region_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="superpixel_algorithm: 'lsc' is not allowed"):
        superpixels(noise(4, 4), "lsc", 4)
    with pytest.raises(ValueError, match="max_superpixel_per_image: 0 is not allowed"):
        superpixels(noise(4, 4), "slic", 0)


@pytest.mark.parametrize(
    ("size", "most", "expected"),
    [
        ((480, 640), 1024, (28, 36)),  # 1008, against 27 x 37 = 999
        ((100, 100), 3, (1, 3)),  # against 2 x 1
        ((1, 5000), 1024, (1, 1024)),  # no row is less than a pixel
        ((2, 600), 1024, (2, 512)),  # no column either
        ((100, 100), 1, (1, 1)),
    ],
)
def test_the_starting_grid_has_as_many_cells_as_possible(
    size: tuple[int, int], most: int, expected: tuple[int, int]
) -> None:
    assert grid(size, most) == expected


def test_means_and_modes_are_those_of_a_loop_over_the_regions() -> None:
    labels = RNG.permutation(np.arange(600) % 37).reshape(20, 30).astype(np.int32)
    values = RNG.random((20, 30), np.float32)
    classes = RNG.integers(0, 5, (20, 30)).astype(np.int16)
    assert means(values, labels) == pytest.approx([values[labels == each].mean() for each in range(37)], rel=1e-5)
    votes = [np.bincount(classes[labels == each], minlength=5).argmax() for each in range(37)]
    assert modes(classes, labels, 5).tolist() == votes


def test_the_last_region_counts_and_ties_go_to_the_first_class() -> None:
    labels = np.array([[0, 0, 1, 1]], np.int32)
    assert means(np.array([[1, 2, 3, 5]], np.float32), labels).tolist() == [1.5, 4]
    assert modes(np.array([[2, 1, 0, 0]]), labels, 3).tolist() == [1, 0]


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_the_two_best_classes_are_those_of_a_sort(count: int) -> None:
    probabilities = RNG.random((count, 6, 7), np.float32)
    both = probabilities if count > 1 else np.concatenate([probabilities, 1 - probabilities])
    ordered = np.sort(both, axis=0)
    two = leaders(probabilities)
    assert (two.best == ordered[-1]).all()
    assert (two.second == ordered[-2]).all()
    assert (two.classes == both.argmax(axis=0)).all()
    assert best_versus_second(two) == pytest.approx(ordered[-2] / ordered[-1])


@pytest.mark.parametrize(
    ("probabilities", "ratio", "disorder"),
    [
        ([0.5, 0.25, 0.25], 0.5, 1.5 * np.log(2) / np.log(3)),
        ([1, 0, 0], 0, 0),  # certain
        ([0.4, 0.4, 0.2], 1, 0.9602297),  # torn between two
        ([0.8], 0.25, 0.7219281),  # one class: yes or no
        ([0.2], 0.25, 0.7219281),  # as sure that it is not there
        ([1], 0, 0),
        ([0, 0], 1, 0),  # a sigmoid head that believes in nothing
    ],
)
def test_uncertainty_of_a_pixel(probabilities: list[float], ratio: float, disorder: float) -> None:
    pixel = np.array(probabilities, np.float32).reshape(-1, 1, 1)
    assert best_versus_second(leaders(pixel)).item() == pytest.approx(ratio)
    assert entropy(pixel).item() == pytest.approx(disorder, abs=1e-6)
