"""RSAL mining, against values computed by hand and the formulas written out."""

import numpy as np
import pytest

from common.mining.rsal import Regions, Standard, frequency_weights, regions_score, standard, to_label

RNG = np.random.default_rng(11)
EQUAL = np.ones(3)


def regions(*scores: float, classes: list[int] | None = None) -> Regions:
    return Regions(np.array(scores, np.float32), np.array(classes or [0] * len(scores), np.int16))


def random_pool(images: int) -> list[Regions]:
    sizes = RNG.integers(1, 40, images)
    return [Regions(RNG.random(n, np.float32), RNG.integers(0, 3, n).astype(np.int16)) for n in sizes]


def test_every_region_is_scored_by_its_mean_ratio_and_has_its_most_frequent_class() -> None:
    # Two classes, 2 x 3 pixels; the regions are the columns, the last one included.
    first = np.array([[0.8, 0.5, 0.1], [0.8, 0.2, 0.2]], np.float32)
    labels = np.array([[0, 1, 2], [0, 1, 2]], np.int32)
    found = Regions.of(np.stack([first, 1 - first]), labels)
    assert found.scores == pytest.approx([0.25, (1 + 0.25) / 2, (1 / 9 + 0.25) / 2])
    assert found.classes.tolist() == [0, 0, 1]


def test_one_class_is_asked_yes_or_no() -> None:
    labels = np.zeros((1, 2), np.int32)
    found = Regions.of(np.array([[[0.2, 0.1]]], np.float32), labels)
    assert found.scores == pytest.approx([(0.25 + 1 / 9) / 2])
    assert found.classes.tolist() == [1]  # not this class
    assert Regions.of(np.array([[[0.8, 0.9]]], np.float32), labels).scores == pytest.approx(found.scores)


def test_an_image_is_kept_in_6_bytes_a_region() -> None:
    found = Regions.of(np.full((2, 8, 8), 0.5, np.float32), np.arange(64, dtype=np.int32).reshape(8, 8))
    assert found.scores.nbytes + found.classes.nbytes == 64 * 6


def test_rare_classes_weigh_more() -> None:
    weights = frequency_weights(np.array([6, 2, 0]))
    assert weights == pytest.approx([np.exp(-0.75), np.exp(-0.25), 1])


def test_the_best_regions_count_and_then_all_from_the_threshold_on() -> None:
    image = regions(0.1, 0.9, 0.5, 0.7, 0.5)
    assert to_label(image, Standard(EQUAL, float("inf"), 2)).tolist() == [1, 3]
    assert to_label(image, Standard(EQUAL, 0.5, 2)).tolist() == [1, 3, 2, 4]
    assert regions_score(image, Standard(EQUAL, 0.5, 2)) == pytest.approx(0.9 + 0.7 + 0.5 + 0.5)


def test_fewer_regions_than_asked_for_all_count() -> None:
    assert to_label(regions(0.1, 0.2), Standard(EQUAL, float("inf"), 3)).tolist() == [1, 0]
    assert regions_score(regions(), Standard(EQUAL, float("inf"), 3)) == 0


def test_frequency_weights_decide_which_region_is_labelled() -> None:
    image = regions(0.8, 0.7, classes=[0, 1])
    assert to_label(image, Standard(np.array([0.5, 1]), float("inf"), 1)).tolist() == [1]


@pytest.mark.parametrize("class_balance", [True, False])
@pytest.mark.parametrize(("kept_images", "topk"), [(2, 3), (1, 1), (10_000, 3)])
def test_the_standard_of_a_pool_is_that_of_all_its_regions_at_once(
    kept_images: int, topk: int, class_balance: bool
) -> None:
    pool = random_pool(30)
    measure = standard(pool, 3, class_balance=class_balance, kept_images=kept_images, topk=topk)
    classes = np.concatenate([each.classes for each in pool])
    shares = np.array([(classes == each).mean() for each in range(3)])
    weights = np.exp(-shares) if class_balance else EQUAL
    assert measure.weights == pytest.approx(weights)
    scores = np.sort(np.concatenate([each.scores for each in pool]) * weights[classes])[::-1]
    assert measure.threshold == pytest.approx(scores[min(kept_images * topk, len(scores) // 5) - 1])


def test_the_order_of_the_images_does_not_matter() -> None:
    pool = random_pool(20)
    one, other = (standard(each, 3, class_balance=True, kept_images=4, topk=3) for each in (pool, list(reversed(pool))))
    assert one.threshold == other.threshold
    assert one.weights.tolist() == other.weights.tolist()


@pytest.mark.parametrize("pool", [[], [regions(0.4, 0.3)]])
def test_a_pool_that_is_too_small_for_a_threshold_has_none(pool: list[Regions]) -> None:
    measure = standard(pool, 2, class_balance=True, kept_images=5, topk=3)
    assert measure.threshold == float("inf")


def test_a_doubtful_image_outranks_a_sure_one() -> None:
    doubtful, sure = regions(0.9, 0.8, 0.2), regions(0.1, 0.1, 0.1)
    measure = standard([doubtful, sure], 3, class_balance=True, kept_images=1, topk=2)
    assert regions_score(doubtful, measure) > regions_score(sure, measure)
