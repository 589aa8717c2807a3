"""What holds for every mining algorithm, and how its direction reaches the written score."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from common.contract import ObjectType
from common.errors import ConfigError
from common.mining.algorithm import Augmented, Evidence, ImageMeasure, PoolMeasure, importance
from common.mining.registry import ALGORITHMS, DETECTION, INSTANCE, SEMANTIC, check_class_maps
from common.mining.seeds import rng
from common.predictions import Detections, Floats, Prediction
from common.task.mining_settings import MiningSettings
from tests.mining_cases import SETTINGS, evidence, scored

PROBABILITIES = st.sampled_from([0.0, 1e-45, 0.5, 1.0]) | st.floats(0, 1, width=32)


def fixed(value: float, smaller_is_sooner: bool) -> ImageMeasure:
    return ImageMeasure(name="fixed", paper="", score=lambda *_: value, smaller_is_sooner=smaller_is_sooner)


@st.composite
def predictions(draw: st.DrawFn, size: tuple[int, int], class_count: int) -> Prediction:
    n = draw(st.integers(0, 3))
    probabilities = draw(arrays.arrays(np.float32, (n, class_count), elements=PROBABILITIES))
    corners = draw(arrays.arrays(np.float32, (n, 4), elements=st.integers(-20, 700).map(float)))
    maps = [
        draw(arrays.arrays(np.float32, (class_count, -(-size[0] // s), -(-size[1] // s)), elements=PROBABILITIES))
        for s in (16, 32)
    ]
    best = probabilities.argmax(axis=1)
    return Prediction(Detections(corners, probabilities.max(axis=1, initial=0), best, probabilities), tuple(maps))


@pytest.mark.parametrize(
    ("object_type", "names"),
    [
        (ObjectType.DETECTION, ["random", "entropy", "aldd", "cald"]),
        (ObjectType.SEMANTIC, ["random", "entropy", "RSAL", "RIPU"]),
        (ObjectType.INSTANCE, ["random", "entropy", "aldd", "cald", "apis", "maskAL"]),
    ],
)
def test_the_registry_holds_the_promised_algorithms_under_their_own_names(
    object_type: ObjectType, names: list[str]
) -> None:
    assert list(ALGORITHMS[object_type]) == [each.name for each in ALGORITHMS[object_type].values()] == names


def test_an_algorithm_scores_images_or_their_regions() -> None:
    for algorithms in ALGORITHMS.values():
        assert all(isinstance(each, ImageMeasure | PoolMeasure) for each in algorithms.values())


def test_each_algorithm_declares_what_it_needs() -> None:
    needs = {a.name: (a.needs_model, a.needs_class_maps, a.augment is not None) for a in DETECTION.values()}
    assert needs == {
        "random": (False, False, False),
        "entropy": (True, False, False),
        "aldd": (True, True, False),
        "cald": (True, False, True),
    }


def test_an_algorithm_that_needs_class_maps_is_refused_with_those_that_do_not() -> None:
    with pytest.raises(ConfigError) as raised:
        check_class_maps(ObjectType.DETECTION, "aldd", "RT-DETR")
    said, _, names = str(raised.value).partition("; use one of ")
    assert said == "mining_algorithm: 'aldd' needs class maps, which RT-DETR does not provide"
    assert names.split(", ") == sorted(name for name, each in DETECTION.items() if not each.needs_class_maps)
    for name in ("", "cald", "entropy", "random"):  # empty: the task does not mine
        check_class_maps(ObjectType.DETECTION, name, "RT-DETR")


def test_what_measures_agreement_labels_the_smallest_native_scores_first() -> None:
    measures = [each for each in {**SEMANTIC, **INSTANCE}.values() if isinstance(each, ImageMeasure)]
    assert [each.name for each in measures if each.smaller_is_sooner] == ["cald", "maskAL"]


@pytest.mark.parametrize(
    ("native", "smaller_is_sooner", "written"),
    [
        (0.25, False, 0.25),  # the paper ranks as we write
        (0.25, True, -0.25),  # the paper ranks the other way
        (0.0, True, 0.0),  # never "-0.0"
    ],
)
def test_importance_is_bigger_for_what_is_labelled_sooner(
    native: float, smaller_is_sooner: bool, written: float
) -> None:
    value = importance(fixed(native, smaller_is_sooner), evidence(scored()), SETTINGS)
    assert (value, math.copysign(1, value)) == (written, math.copysign(1, written))


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_an_error_that_names_the_image(broken: float) -> None:
    with pytest.raises(ValueError, match=r"cat\.jpg: fixed gives"):
        importance(fixed(broken, smaller_is_sooner=True), evidence(scored(), name="cat.jpg"), SETTINGS)


@pytest.mark.parametrize("name", ["entropy", "cald"])
def test_two_half_sure_boxes_outrank_two_sure_ones(name: str) -> None:
    half, sure = (
        importance(DETECTION[name], evidence(found, found), SETTINGS) for found in (scored(0.5, 0.5), scored(1, 1))
    )
    assert half > sure


def test_class_maps_that_disagree_outrank_flat_ones() -> None:
    def rank(maps: Floats) -> float:
        return importance(DETECTION["aldd"], evidence(scored(), maps=(maps,)), SETTINGS)

    disputed = np.full((1, 12, 16), 0.2, np.float32)
    disputed[0, 4:8, 4:8:2] = 0.8
    flats = [rank(np.full((1, 12, 16), p, np.float32)) for p in (0, 0.5, 1)]
    assert rank(disputed) > max(flats)
    assert flats == pytest.approx([0, 0, 0], abs=1e-6)


@pytest.mark.parametrize("name", DETECTION)
@settings(max_examples=12)
@given(
    data=st.data(),
    size=st.sampled_from([(32, 32), (416, 640), (33, 47)]),
    class_count=st.integers(1, 2),
    weights=st.lists(st.floats(0, 10, width=32), max_size=3),
)
def test_every_algorithm_gives_a_finite_score_for_any_valid_input(
    name: str, data: st.DataObject, size: tuple[int, int], class_count: int, weights: list[float]
) -> None:
    algorithm = DETECTION[name]
    plain = data.draw(predictions(size, class_count))
    changed: tuple[Augmented, ...] = ()
    if algorithm.augment is not None:
        image = np.full((*size, 3), 200, np.uint8)
        changed = algorithm.augment(image, plain.detections, rng("t", "a.jpg"))
    found = tuple(data.draw(predictions(size, class_count)) for _ in changed)
    case = Evidence("a.jpg", plain, size, found, changed)
    task = MiningSettings("t", tuple(weights))
    first = importance(algorithm, case, task)
    assert math.isfinite(first)
    assert importance(algorithm, case, task) == first
