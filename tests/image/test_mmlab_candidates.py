"""The OpenMMLab images infer and mine, alone and together: the same loop, and the same results in every combination."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from lively_mmlab import KINDS, lively_weights
from odd import broken, odd_forms
from tasks import MMDETECTION, MMROTATE, MMYOLO, NAMES, Outcome, run
from warm import run_warm

from workbench.check import check_out
from workbench.platform import write_candidate_task

CANDIDATES = {"samples_per_gpu": 4, "workers_per_gpu": 2, "img_size": 64, "max_bad_images": 0.1, "conf_threshold": 0.1}
KIND = {MMYOLO: "mmyolo rtmdet", MMDETECTION: "mmdet yolox", MMROTATE: "mmrotate rtmdet"}


@pytest.fixture(scope="module")
def pool(samples: list) -> list:
    return [*odd_forms(samples[32:43]), *samples[43:60], broken()]


one_image = pytest.mark.parametrize(
    "image",
    [pytest.param(image, marks=() if image == MMYOLO else pytest.mark.exhaustive) for image in KIND],
    indirect=True,
)
"""For tests of the loop, which is the same in every image."""


@pytest.fixture(scope="module", params=KIND)
def image(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def lively(image: str, samples: list, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lively") / "best.pth"
    images = np.stack([cv2.resize(sample.image, (64, 64)) for sample in samples[:16]])
    return lively_weights(path, KINDS[KIND[image]], NAMES, images)


def candidate_task(root: Path, pool: list, model: Path, **options: object) -> Path:
    verbs = {"run_mining": bool(options.get("mining_algorithm")), "run_infer": bool(options.pop("infer", True))}
    return write_candidate_task(root / "t", pool, [model], NAMES, {**CANDIDATES, **options}, **verbs)


@pytest.fixture(scope="module")
def inferred(image: str, lively: Path, pool: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    outcome = run(candidate_task(tmp_path_factory.mktemp("infer"), pool, lively), image=image)
    assert outcome.status == 0
    return outcome


def test_inference_alone_finds_objects_and_obeys_the_contract(image: str, inferred: Outcome, pool: list) -> None:
    assert check_out(inferred.out.parent / "in" / "env.yaml", rotated=image == MMROTATE) == []
    assert list(inferred.objects) == [sample.base_name for sample in pool]
    assert inferred.objects["broken.jpg"] == []
    assert sum(map(len, inferred.objects.values())) > len(pool)


def test_mining_beside_inference_changes_no_prediction(
    image: str, lively: Path, pool: list, inferred: Outcome, tmp_path: Path
) -> None:
    outcome = run_warm(candidate_task(tmp_path, pool, lively, mining_algorithm="cald"), image=image)
    assert outcome.status == 0
    assert (outcome.out / "infer-result.json").read_bytes() == (inferred.out / "infer-result.json").read_bytes()


@one_image
@pytest.mark.parametrize("algorithm", ["entropy", "random"])
def test_mining_alone_ranks_every_candidate(
    image: str, lively: Path, pool: list, inferred: Outcome, tmp_path: Path, algorithm: str
) -> None:
    outcome = run_warm(candidate_task(tmp_path, pool, lively, mining_algorithm=algorithm, infer=False), image=image)
    assert outcome.status == 0
    assert check_out(outcome.out.parent / "in" / "env.yaml") == []
    names, scores = zip(*outcome.ranking, strict=True)
    assert sorted(names) == sorted(sample.base_name for sample in pool)
    assert np.isfinite(scores).all()
    if algorithm == "entropy":
        for name, score in outcome.ranking[:-1]:
            p = np.clip([found["score"] for found in inferred.objects[name]], 1e-9, 1 - 1e-9)
            entropy = -(p * np.log(p) + (1 - p) * np.log1p(-p)).sum()
            assert score == pytest.approx(entropy, rel=1e-3, abs=1e-5 * len(p))  # the file has six digits of each


def test_thresholds_and_cfg_options_reach_the_model(
    image: str, lively: Path, pool: list, inferred: Outcome, tmp_path: Path
) -> None:
    """Fewer boxes with a higher confidence; and cfg_options win over the parameter."""
    strict = {"conf_threshold": 0.9, "cfg_options": "model.test_cfg.score_thr=0.1"}
    outcome = run_warm(candidate_task(tmp_path, pool, lively, **strict), image=image)
    assert outcome.objects == inferred.objects
    outcome = run_warm(candidate_task(tmp_path / "b", pool, lively, conf_threshold=0.6), image=image)
    scores = [found["score"] for objects in outcome.objects.values() for found in objects]
    everything = [found["score"] for objects in inferred.objects.values() for found in objects]
    assert scores == [score for score in everything if score > 0.6]
    assert 0 < len(scores) < len(everything)
