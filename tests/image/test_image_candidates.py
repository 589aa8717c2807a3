"""det-yolov5-tmi infers and mines: one task, one forward pass, results under the images' own names."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from odd import broken, nonsense, odd_forms
from tasks import CANDIDATES, NAMES, YOLOV5, Outcome, environment, listing, run, start
from warm import run_warm

from workbench.check import check_out
from workbench.platform import write_candidate_task

BAD = {"broken.jpg", "text.jpg"}


def candidate_task(
    root: Path, images: list, model: Path | None, *, mine: bool, infer: bool, **parameters: object
) -> Path:
    models = [model] if model is not None else []
    return write_candidate_task(
        root, images, models, NAMES, {**CANDIDATES, **parameters}, run_mining=mine, run_infer=infer
    )


@pytest.fixture(scope="module")
def pool(samples: list) -> list:
    """Odd images, plain ones, and two that are none."""
    return [*odd_forms(samples[32:43]), *samples[43:], broken(), nonsense()]


@pytest.fixture(scope="module")
def inferred(lively: Path, pool: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    root = tmp_path_factory.mktemp("infer") / "task"
    env = candidate_task(root, pool, lively, mine=False, infer=True, max_bad_images=0.1)
    before = listing(root / "in")
    outcome = run(env)
    assert outcome.status == 0
    assert listing(root / "in") == before
    return outcome


def test_inference_obeys_the_contract(inferred: Outcome, pool: list) -> None:
    assert check_out(inferred.out.parent / "in" / "env.yaml") == []
    assert list(inferred.objects) == [sample.base_name for sample in pool]


def test_a_broken_candidate_is_recorded_and_has_no_objects(inferred: Outcome) -> None:
    assert inferred.objects["broken.jpg"] == inferred.objects["text.jpg"] == []
    assert "skipped: " in inferred.log
    assert "broken.jpg: truncated JPEG" in inferred.log


def test_boxes_lie_within_their_images(inferred: Outcome, pool: list) -> None:
    total = 0
    for sample in pool:
        height, width = sample.image.shape[:2]
        for found in inferred.objects[sample.base_name]:
            box = found["box"]
            assert 0 <= box["x"] <= box["x"] + box["w"] <= width
            assert 0 <= box["y"] <= box["y"] + box["h"] <= height
            total += 1
    assert total > 0, "the model of the test finds something"


@pytest.fixture(scope="module")
def both(lively: Path, pool: list, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Mining and inference in one task, for every algorithm."""
    outcomes = {}
    for algorithm in ("entropy", "aldd", "cald", "random"):
        root = tmp_path_factory.mktemp(algorithm) / "task"
        options = {"mining_algorithm": algorithm, "max_bad_images": 0.1}
        outcomes[algorithm] = run_warm(candidate_task(root, pool, lively, mine=True, infer=True, **options))
    return outcomes


@pytest.mark.parametrize("algorithm", ["entropy", "aldd", "cald", "random"])
def test_mining_and_inference_obey_the_contract(both: dict[str, Outcome], algorithm: str) -> None:
    outcome = both[algorithm]
    assert outcome.status == 0
    assert check_out(outcome.out.parent / "in" / "env.yaml") == []


@pytest.mark.parametrize("algorithm", ["entropy", "aldd", "cald", "random"])
def test_mining_beside_inference_changes_no_prediction(
    both: dict[str, Outcome], inferred: Outcome, algorithm: str
) -> None:
    assert (both[algorithm].out / "infer-result.json").read_bytes() == (inferred.out / "infer-result.json").read_bytes()


@pytest.mark.parametrize("algorithm", ["entropy", "aldd", "cald", "random"])
def test_a_ranking_is_total_and_finite_with_the_broken_images_last(
    both: dict[str, Outcome], pool: list, algorithm: str
) -> None:
    names, scores = zip(*both[algorithm].ranking, strict=True)
    assert sorted(names) == sorted(sample.base_name for sample in pool)
    assert list(scores) == sorted(scores, reverse=True)
    assert np.isfinite(scores).all()
    assert set(names[-2:]) == BAD


def test_entropy_ranks_by_the_detections_that_inference_reports(both: dict[str, Outcome]) -> None:
    def entropy(objects: list[dict]) -> float:
        p = np.clip([found["score"] for found in objects], 1e-9, 1 - 1e-9)
        return float(-(p * np.log(p) + (1 - p) * np.log1p(-p)).sum())

    outcome = both["entropy"]
    for name, score in outcome.ranking:
        if name not in BAD:
            assert score == pytest.approx(entropy(outcome.objects[name]), rel=1e-3, abs=1e-5)


def test_algorithms_rank_differently(both: dict[str, Outcome]) -> None:
    orders = {tuple(name for name, _ in outcome.ranking) for outcome in both.values()}
    assert len(orders) == 4


def test_class_weights_of_zero_make_aldd_indifferent(lively: Path, pool: list, tmp_path: Path) -> None:
    options = {"mining_algorithm": "ALDD", "class_distribution_scores": "0,0,0", "max_bad_images": 1}
    outcome = run_warm(candidate_task(tmp_path / "t", pool[:6], lively, mine=True, infer=False, **options))
    assert {score for _, score in outcome.ranking} == {0.0}


def test_random_mining_needs_no_model_and_no_framework(pool: list, tmp_path: Path) -> None:
    env = candidate_task(tmp_path / "t", pool, None, mine=True, infer=False, mining_algorithm="random")
    outcome = run(env)
    assert outcome.status == 0
    assert len(outcome.ranking) == len(pool)


def test_the_number_of_ranks_changes_no_byte(
    lively: Path, both: dict[str, Outcome], pool: list, tmp_path: Path
) -> None:
    """Two ranks share the chunks; then the task is started as usual, and has nothing left but to merge."""
    options = {"mining_algorithm": "entropy", "max_bad_images": 0.1}
    env = candidate_task(tmp_path / "t", pool, lively, mine=True, infer=True, **options)
    ranks = [
        subprocess.Popen(
            [*start(YOLOV5), "worker"],
            env=environment(env, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", OMP_NUM_THREADS="1"),
        )
        for rank in range(2)
    ]
    assert [rank.wait(timeout=300) for rank in ranks] == [0, 0]
    outcome = run_warm(env)
    assert outcome.status == 0
    assert "2 of 2 chunks were finished before" in outcome.log
    for file in ("infer-result.json", "result.tsv"):
        here = (outcome.out / file).read_text().replace(str(outcome.out.parent), "")
        there = (both["entropy"].out / file).read_text().replace(str(both["entropy"].out.parent), "")
        assert here == there


def test_weights_for_another_number_of_classes_are_refused(lively: Path, pool: list, tmp_path: Path) -> None:
    env = write_candidate_task(
        tmp_path / "t", pool[:3], [lively], ["disc"], CANDIDATES, run_mining=False, run_infer=True
    )
    outcome = run_warm(env)
    assert (outcome.status, outcome.monitor[4]) == (66, "300004")
    assert "trained for 3 classes, but class_names has 1" in outcome.log.splitlines()[-1]


def test_inference_without_class_names_reports_those_of_the_model(lively: Path, pool: list, tmp_path: Path) -> None:
    env = write_candidate_task(tmp_path / "t", pool[11:20], [lively], [], CANDIDATES, run_mining=False, run_infer=True)
    outcome = run_warm(env)
    assert outcome.status == 0
    assert {found["class_name"] for objects in outcome.objects.values() for found in objects} <= set(NAMES)
    assert any(outcome.objects.values())


@pytest.mark.parametrize("verb", ["infer", "mining"])
def test_a_damaged_weights_file_is_named(lively: Path, pool: list, tmp_path: Path, verb: str) -> None:
    damaged = tmp_path / "best.pt"
    damaged.write_bytes(lively.read_bytes()[:5000])
    env = candidate_task(tmp_path / "t", pool[:3], damaged, mine=verb == "mining", infer=verb == "infer")
    outcome = run_warm(env)
    assert (outcome.status, outcome.monitor[4]) == (66, "300004")
    assert "best.pt" in outcome.log.splitlines()[-1]


def test_torchrun_starts_the_ranks_that_its_own_variables_ask_for(
    lively: Path, both: dict[str, Outcome], pool: list, tmp_path: Path
) -> None:
    options = {"mining_algorithm": "entropy", "max_bad_images": 0.1}
    env = candidate_task(tmp_path / "t", pool, lively, mine=True, infer=True, **options)
    outcome = run(env, PET_NPROC_PER_NODE="2", PET_STANDALONE="1", OMP_NUM_THREADS="1")
    assert outcome.status == 0
    assert outcome.log.count("weights: ") == 2
    assert outcome.ranking == both["entropy"].ranking


def test_the_failure_of_one_rank_of_torchrun_is_the_reason_of_the_task(pool: list, tmp_path: Path) -> None:
    damaged = tmp_path / "best.pt"
    damaged.write_bytes(b"no weights")
    env = candidate_task(tmp_path / "t", pool[:3], damaged, mine=False, infer=True)
    outcome = run(env, PET_NPROC_PER_NODE="2", PET_STANDALONE="1", OMP_NUM_THREADS="1")
    assert (outcome.status, outcome.monitor[4]) == (66, "300004")
    assert "best.pt: cannot be loaded" in outcome.log.splitlines()[-1]


def test_a_gpu_that_is_not_there_is_said_so(lively: Path, pool: list, tmp_path: Path) -> None:
    env = write_candidate_task(
        tmp_path / "t", pool[:3], [lively], NAMES, CANDIDATES, run_mining=False, run_infer=True, gpu_id="0"
    )
    outcome = run_warm(env, CUDA_VISIBLE_DEVICES="")
    assert (outcome.status, outcome.monitor[4]) == (69, "300102")
    assert "gpu_id: 0 is asked for" in outcome.log.splitlines()[-1]
