"""A task that is killed without warning leaves valid files, and goes on when it is started again."""

import random
import shutil
from pathlib import Path

import pytest
from tasks import CANDIDATES, NAMES, TRAINING, Outcome, assert_intact, assert_means, run, run_and_kill
from warm import run_warm

from common.results.class_metrics import CLASS_FILE
from workbench.check import check_out
from workbench.platform import write_candidate_task, write_training_task
from workbench.shapes import render


def test_a_killed_training_goes_on_from_its_last_checkpoint(samples: list, tmp_path: Path) -> None:
    env = write_training_task(tmp_path / "t", samples[:16], samples[16:20], NAMES, {**TRAINING, "epochs": 6})
    killed = run_and_kill(env, (tmp_path / "t" / "out" / "models" / "result.yaml").exists)
    assert_intact(killed.out)
    again = run_warm(env)
    assert again.status == 0
    assert "epoch 1/6" in killed.log or "epoch 1/6" not in again.log
    assert "epochs 1 to 6" not in again.log
    assert "epoch 6/6" in again.log
    curve = (again.out / "training-curve.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[0] for line in curve] == ["1", "2", "3", "4", "5", "6"]
    assert check_out(env) == []


def test_a_training_killed_before_it_published_its_last_epoch_loses_nothing(samples: list, tmp_path: Path) -> None:
    """The kill came when the checkpoint was written, but neither the stage nor result.yaml."""
    options = {**TRAINING, "epochs": 3, "save_best_only": False, "save_period": 1}
    env = write_training_task(tmp_path / "t", samples[:16], samples[16:20], NAMES, options)
    out = tmp_path / "t" / "out"
    run_warm(env, when=(out / "models" / "result.yaml").exists)
    for path in (out / "models").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (out / CLASS_FILE).unlink()
    for record in out.rglob("stages.json"):
        record.unlink()
    again = run_warm(env)
    assert again.status == 0
    assert set(again.result["model_stages"]) == {"best", "last", "epoch_1", "epoch_2", "epoch_3"}
    assert_means(again, NAMES)
    assert check_out(env) == []


@pytest.fixture(scope="module")
def undisturbed(lively: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Mining and inference of several chunks, never interrupted."""
    outcome = run_warm(candidates(tmp_path_factory.mktemp("whole") / "task", lively))
    assert outcome.status == 0
    return outcome


def candidates(root: Path, model: Path) -> Path:
    images = render(160, seed=3)
    options = {**CANDIDATES, "mining_algorithm": "entropy"}
    return write_candidate_task(root, images, [model], NAMES, options, run_mining=True, run_infer=True)


def results(outcome: Outcome) -> list[str]:
    texts = [(outcome.out / name).read_text(encoding="utf-8") for name in ("infer-result.json", "result.tsv")]
    return [text.replace(str(outcome.out.parent), "") for text in texts]


def test_a_killed_inference_does_only_the_remaining_work(lively: Path, undisturbed: Outcome, tmp_path: Path) -> None:
    env = candidates(tmp_path / "t", lively)
    shards = tmp_path / "t" / "out" / ".ymir"
    killed = run_and_kill(env, lambda: len(list(shards.rglob("0*.json"))) >= 2)
    assert_intact(killed.out)
    finished = len(list(shards.rglob("0*.json")))
    assert 0 < finished < 5
    again = run_warm(env)
    assert again.status == 0
    assert f"{finished} of 5 chunks were finished before" in again.log
    assert results(again) == results(undisturbed)


@pytest.mark.faults
def test_mining_survives_kills_at_any_moment(lively: Path, undisturbed: Outcome, tmp_path: Path) -> None:
    """Ten kills after random times, each on what the one before left; then the same bytes as ever."""
    env = candidates(tmp_path / "t", lively)
    chance = random.Random(0)
    for _ in range(10):
        assert_intact(run_and_kill(env, chance.uniform(0.05, 9.0)).out)
    last = run(env)
    assert last.status == 0
    assert results(last) == results(undisturbed)


@pytest.mark.faults
def test_training_survives_kills_at_any_moment(samples: list, tmp_path: Path) -> None:
    """Twelve kills after random times, then an undisturbed end."""
    options = {**TRAINING, "epochs": 12, "save_best_only": False, "save_period": 2}
    env = write_training_task(tmp_path / "t", samples[:16], samples[16:20], NAMES, options)
    chance = random.Random(1)
    for _ in range(12):
        assert_intact(run_and_kill(env, chance.uniform(0.05, 14.0)).out)
    last = run(env)
    assert last.status == 0
    assert check_out(env) == []
