"""An OpenMMLab image trains: what each parameter changes, and how a training ends that is not like others."""

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from tasks import MMYOLO, NAMES, Outcome, assert_intact, assert_means, run, run_and_kill
from warm import run_warm

from common.contract import Verb
from common.mmlab.patches.compat import prepare
from common.mmlab.train import starting_point
from common.task.env import read_env, read_task
from common.weights.zoo import Address, Zoo
from workbench.check import check_out
from workbench.images import REPOSITORY, image
from workbench.platform import write_training_task

TRAINING = {
    "export_format": "ark:raw",
    "model_name": "rtmdet_tiny",
    "samples_per_gpu": 8,
    "workers_per_gpu": 0,
    "max_epochs": 1,
    "img_size": 64,
}


def train(
    root: Path, samples: list, val: list | None = None, runs: Callable[..., Outcome] = run_warm, **options
) -> Outcome:
    val = samples[-4:] if val is None else val
    env = write_training_task(root / "t", samples, val, NAMES, {**TRAINING, **options})
    return runs(env, image=MMYOLO)


@pytest.fixture(scope="module")
def long(samples: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Five epochs with validation every two, the two best and two latest kept."""
    outcome = train(
        tmp_path_factory.mktemp("long"),
        samples[:12],
        runs=run,
        max_epochs=5,
        val_interval=2,
        max_keep_checkpoints=2,
        metric="proposal",
        workers_per_gpu=1,
        args_options="--seed 3",
        cfg_options="optim_wrapper.optimizer.weight_decay=0.125 train_dataloader.sampler.shuffle=False",
    )
    assert outcome.status == 0
    return outcome


def test_every_second_epoch_and_the_last_one_are_validated(long: Outcome) -> None:
    lines = (long.out / "training-curve.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", "2", "4", "5"]
    assert check_out(long.out.parent / "in" / "env.yaml") == []


def test_the_classes_are_told_one_by_one(long: Outcome, samples: list) -> None:
    assert_means(long, NAMES)
    objects = np.bincount(np.concatenate([sample.classes for sample in samples[8:12]]), minlength=len(NAMES))
    assert [each.count for each in long.classes] == objects.tolist()


def test_the_two_best_and_the_two_latest_are_kept(long: Outcome) -> None:
    stages = long.result["model_stages"]
    assert {"best", "last", "epoch_4", "epoch_5"} <= set(stages) <= {"best", "last", "epoch_2", "epoch_4", "epoch_5"}
    assert all(stage["files"][1] == "config.py" for stage in stages.values())


def test_recall_is_reported_when_asked_for(long: Outcome) -> None:
    assert 0 <= long.result["model_stages"]["best"]["mAR"] <= 1


def test_cfg_options_win_and_are_kept_with_the_weights(long: Outcome) -> None:
    file = long.best.parent / "config.py"
    config = Config.fromfile(file)
    assert config.optim_wrapper.optimizer.weight_decay == 0.125
    assert config.train_dataloader.sampler.shuffle is False
    assert config.randomness.seed == 3
    assert str(long.out) not in file.read_text(encoding="utf-8"), "no path of the task is published"


def test_validation_runs_in_batches(long: Outcome) -> None:
    assert Config.fromfile(long.best.parent / "config.py").val_dataloader.batch_size == TRAINING["samples_per_gpu"]


def test_weights_carry_no_optimizer_and_load_without_pickled_code(long: Outcome) -> None:
    checkpoint = torch.load(long.best, weights_only=True)
    assert set(checkpoint) == {"meta", "state_dict"}
    assert checkpoint["meta"]["dataset_meta"]["classes"] == list(NAMES)


def test_tensorboard_is_written(long: Outcome) -> None:
    assert any("tfevents" in path.name for path in (long.out / "tensorboard").iterdir())


def test_the_log_tells_the_schedule_and_nothing_of_the_framework(long: Outcome) -> None:
    assert "rtmdet_tiny_syncbn_fast_8xb32-300e_coco: " in long.log
    assert "mmengine" not in long.log
    assert "loading annotations" not in long.log
    assert len(long.log.splitlines()) < 40, "a log that people can read"


def test_a_validation_set_without_any_object_ends_well_with_zero(samples: list, tmp_path: Path) -> None:
    outcome = train(tmp_path, samples[:8], [sample.without_objects() for sample in samples[8:12]])
    assert outcome.status == 0
    assert outcome.result["model_stages"]["best"]["mAP"] == 0
    assert "val: no object at all; its metric will be 0" in outcome.log


@pytest.mark.parametrize("model", ["yolov5_n", "yolov8_n", "yolox_tiny", "rtmdet_tiny", "ppyoloe_plus_s"])
def test_a_training_set_without_any_object_ends_well(samples: list, tmp_path: Path, model: str) -> None:
    outcome = train(tmp_path, [sample.without_objects() for sample in samples[:8]], samples[8:12], model_name=model)
    assert outcome.status == 0
    assert "train: no object at all" in outcome.log


def test_a_loss_that_is_no_number_stops_the_training(samples: list, tmp_path: Path) -> None:
    outcome = train(tmp_path, samples[:16], max_epochs=3, cfg_options="optim_wrapper.optimizer.lr=1e30")
    assert outcome.monitor[3:5] == ["4", "300201"]
    assert "optim_wrapper.optimizer.lr" in outcome.log.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("evaluator.x=1", ["'evaluator'", "test_evaluator"]),
        ("model.backbone.type=NoSuchBackbone", ["NoSuchBackbone"]),
    ],
)
def test_cfg_options_that_fit_nothing_are_a_mistake_of_the_configuration(
    samples: list, tmp_path: Path, options: str, words: list[str]
) -> None:
    outcome = train(tmp_path, samples[:8], cfg_options=options)
    assert outcome.monitor[4] == "300001"
    assert all(word in outcome.log.splitlines()[-1] for word in ["cfg_options", *words])


def test_a_killed_training_goes_on_from_its_last_epoch(samples: list, tmp_path: Path) -> None:
    env = write_training_task(tmp_path / "t", samples[:16], samples[16:20], NAMES, {**TRAINING, "max_epochs": 8})
    # Not when result.yaml appears: an epoch that is published, but not yet noted as validated, is validated again.
    scratch = tmp_path / "t" / "out" / ".ymir"
    killed = run_warm(env, MMYOLO, when=lambda: any(scratch.glob("*/run/validated")))
    assert "epoch 1/8" in killed.log
    again = run_warm(env, image=MMYOLO)
    assert again.status == 0
    assert "epoch 1/8" not in again.log
    assert "epoch 8/8" in again.log
    curve = (again.out / "training-curve.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[0] for line in curve] == [str(epoch) for epoch in range(1, 9)]
    assert check_out(env) == []
    assert_means(again, NAMES)


def test_packaged_weights_are_where_a_training_without_given_ones_starts(long: Outcome, tmp_path: Path) -> None:
    """As `common.weights.bake` leaves them: the file of exactly this configuration, beside the code."""
    prepare("mmyolo")
    key = "rtmdet/rtmdet_tiny_syncbn_fast_8xb32-300e_coco.py"
    packed = Zoo(tmp_path / "weights", {key: Address("https://x/rtmdet_tiny-dbb1dc83.pth")})
    packed.folder.mkdir()
    shutil.copy(long.best, packed.folder / "rtmdet_tiny-dbb1dc83.pth")
    task = replace(read_task(read_env(long.out.parent / "in" / "env.yaml")), model_files=())
    with image(REPOSITORY / MMYOLO):
        from params import PARAMETERS

        class Packaged(PARAMETERS[Verb.TRAINING]):
            zoo = packed

        for name, packaged in (("rtmdet_tiny", True), ("rtmdet_s", False)):
            found, weights = starting_point(task, Packaged(model_name=name))
            assert name in found
            assert (weights is not None) is packaged


def test_two_ranks_train_together(samples: list, tmp_path: Path) -> None:
    ranks = {"PET_NPROC_PER_NODE": "2", "PET_STANDALONE": "1", "OMP_NUM_THREADS": "1"}
    outcome = train(tmp_path, samples[:16], runs=partial(run, **ranks), samples_per_gpu=4)
    assert outcome.status == 0
    assert outcome.log.count("epoch 1/1") == 1
    assert check_out(outcome.out.parent / "in" / "env.yaml") == []
    assert_means(outcome, NAMES)


@pytest.mark.faults
def test_training_survives_kills_at_any_moment(samples: list, tmp_path: Path) -> None:
    """Eight kills after random times, most of them while it trains, then an undisturbed end."""
    options = {**TRAINING, "max_epochs": 10, "max_keep_checkpoints": 2}
    env = write_training_task(tmp_path / "t", samples[:16], samples[16:20], NAMES, options)
    chance = random.Random(1)
    for _ in range(8):
        assert_intact(run_and_kill(env, chance.uniform(5, 25), image=MMYOLO).out)
    last = run(env, image=MMYOLO)
    assert last.status == 0
    assert check_out(env) == []
    curve = (last.out / "training-curve.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[0] for line in curve] == [str(epoch) for epoch in range(1, 11)]
