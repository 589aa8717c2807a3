"""ALDD mining, against a literal full-resolution reading of the paper."""

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from common.mining import aldd
from common.mining.algorithm import Evidence, importance
from common.mining.registry import DETECTION
from common.predictions import Detections, Floats, Prediction
from common.task.mining_settings import MiningSettings

SIZE = (128, 192)
Doubles = NDArray[np.float64]


def rank(maps: tuple[Floats, ...], size: tuple[int, int] = SIZE, weights: tuple[float, ...] = ()) -> float:
    case = Evidence("a.jpg", Prediction(Detections.empty(len(maps[0])), maps), size)
    return importance(DETECTION["aldd"], case, MiningSettings("t", weights))


def random_maps(rng: np.random.Generator, class_count: int = 2) -> tuple[Floats, ...]:
    """Maps of strides 8, 16, 32 with a few objects of varied size, place, class and sureness on a noisy background."""
    background, noise = rng.uniform(-11, -5), 10 ** rng.uniform(-2, 0.2)
    objects = [
        (rng.uniform(size=2) * SIZE, 10 ** rng.uniform(0.8, 2), rng.uniform(-background - 4, -background + 5), k)
        for k in rng.integers(class_count, size=rng.integers(1, 10))
    ]
    return tuple(
        with_objects(background + noise * rng.normal(size=(class_count, *cells(stride))), stride, objects)
        for stride in (8, 16, 32)
    )


def cells(stride: int) -> tuple[int, int]:
    return SIZE[0] // stride, SIZE[1] // stride


def with_objects(logits: Doubles, stride: int, objects: list[tuple[Doubles, float, float, int]]) -> Floats:
    """Probabilities of one scale: `(K, h, w)` background logits, and a bump for each object that fits the scale."""
    y, x = np.mgrid[: logits.shape[1], : logits.shape[2]] * stride + stride / 2
    for (centre_y, centre_x), radius, height, k in objects:
        fit = math.exp(-((math.log2(radius / stride) - 1) ** 2))
        logits[k] += height * fit * np.exp(-((y - centre_y) ** 2 + (x - centre_x) ** 2) / (2 * (radius / 2) ** 2))
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def literal(maps: tuple[Floats, ...], size: tuple[int, int]) -> float:
    """The formula, pixel by pixel, in float64, without a floor."""
    return sum(literal_class([scale[k] for scale in maps], *size) for k in range(len(maps[0])))


def literal_class(maps: list[Floats], height: int, width: int) -> float:
    divergence = np.zeros((height, width))
    for scale in maps:
        p = upsampled(upsampled(scale.astype(float), height).T, width).T
        divergence += entropy(mean_9x9(p)) - mean_9x9(entropy(p))
    rows, columns = range(0, height, 32), range(0, width, 32)
    return float(np.mean([divergence[y : y + 32, x : x + 32].max() for y in rows for x in columns]))


def upsampled(p: Doubles, size: int) -> Doubles:
    """Bilinear along the first axis, the centres of the cells at half steps."""
    places = np.clip((np.arange(size) + 0.5) * len(p) / size - 0.5, 0, len(p) - 1)
    before = places.astype(int)
    after, share = np.minimum(before + 1, len(p) - 1), (places - before)[:, None]
    return np.asarray(p[before] * (1 - share) + p[after] * share)


def mean_9x9(p: Doubles) -> Doubles:
    sums = [cv2.boxFilter(a, -1, (9, 9), normalize=False, borderType=cv2.BORDER_CONSTANT) for a in (p, np.ones_like(p))]
    return np.asarray(sums[0] / sums[1])


def entropy(p: Doubles) -> Doubles:
    p = np.clip(p, 1e-300, 1 - 1e-16)
    return -p * np.log(p) - (1 - p) * np.log1p(-p)


def test_the_coarse_grid_ranks_as_the_literal_formula_does() -> None:
    rng = np.random.default_rng(7)
    pool = [random_maps(rng) for _ in range(50)]
    exact, fast = np.array([literal(maps, SIZE) for maps in pool]), np.array([rank(maps) for maps in pool])
    spearman = np.corrcoef(exact.argsort().argsort(), fast.argsort().argsort())[0, 1]
    assert spearman >= 0.99
    assert np.median(fast / exact) == pytest.approx(1, abs=0.1)


def test_a_class_below_the_floor_would_add_no_more_than_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    faint = tuple(aldd.FLOOR * 0.99 * rng.integers(0, 2, (1, *cells(s))).astype(np.float32) for s in (8, 16, 32))
    assert rank(faint) == 0
    monkeypatch.setattr(aldd, "FLOOR", 0)
    assert 0 < rank(faint) < 3 * 0.0004


def test_the_border_of_the_input_is_not_a_disagreement() -> None:
    assert rank((np.full((1, *cells(8)), 0.5, np.float32),)) == pytest.approx(0, abs=1e-6)


def test_a_disagreement_at_the_border_counts_as_one_region() -> None:
    corner = np.full((1, *cells(8)), 0.02, np.float32)
    corner[0, 0, 0] = 0.9
    score, exact = rank((corner,)), literal((corner,), SIZE)
    assert 0 < score < math.log(2) / (4 * 6)
    assert score == pytest.approx(exact, rel=0.2)


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("place", [0, 1])
def test_a_coarse_map_is_laid_over_the_input_where_it_belongs(place: int, step: int) -> None:
    coarse = np.full((1, *cells(32)), 0.01, np.float32)
    coarse[0, place, place] = 0.9
    mirrored = (np.ascontiguousarray(coarse[:, ::step, ::step]),)
    assert rank(mirrored) == pytest.approx(literal(mirrored, SIZE), rel=0.05)


def test_scales_add_up() -> None:
    stepped = np.where(np.arange(cells(8)[1]) % 8 < 4, 0.1, 0.9).astype(np.float32) * np.ones(
        (1, cells(8)[0], 1), np.float32
    )
    assert rank((stepped, stepped)) == pytest.approx(2 * rank((stepped,)))
    assert rank((stepped, stepped[:, ::2, ::2])) > rank((stepped,))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((), (1, 1, 1)),  # nothing given
        ((0.5,), (0.5, 1, 1)),  # missing ones count 1
        ((0, 2, 0, 7, 7), (0, 2, 0)),  # surplus ones are cut
    ],
)
def test_class_weights_scale_what_each_class_adds(weights: tuple[float, ...], expected: tuple[float, ...]) -> None:
    maps = (np.random.default_rng(3).uniform(0, 1, (3, *cells(8))).astype(np.float32),)
    alone = [rank(tuple(scale[[k]] for scale in maps)) for k in range(3)]
    assert min(alone) > 0
    assert rank(maps, weights=weights) == pytest.approx(np.dot(alone, expected))


@pytest.mark.parametrize(
    "size", [(32, 32), (416, 640), (100, 75)]
)  # one region; not square; not a multiple of a stride
def test_inputs_of_any_size_are_scored_like_the_literal_formula(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    maps = tuple(rng.uniform(0, 1, (1, -(-size[0] // s), -(-size[1] // s))).astype(np.float32) for s in (8, 32))
    assert rank(maps, size) == pytest.approx(literal(maps, size), rel=0.25)


def test_a_map_that_is_not_a_number_is_an_error_that_names_the_image() -> None:
    broken = np.full((1, *cells(8)), 0.5, np.float32)
    broken[0, 3, 3] = math.nan
    with pytest.raises(ValueError, match=r"a\.jpg: aldd gives nan"):
        rank((broken,))


def test_missing_class_maps_are_an_error_that_names_the_image() -> None:
    with pytest.raises(ValueError, match=r"a\.jpg: aldd needs the class maps"):
        importance(DETECTION["aldd"], Evidence("a.jpg", Prediction(Detections.empty(1)), SIZE), MiningSettings("t"))
