"""seg-all-in-one-tmi trains semantic models, as the platform starts it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from odd import broken, odd_forms
from semantic import IMAGE, LEARNED, NAMES, parameters, write_task
from tasks import Outcome, assert_means, listing, prepared, run
from warm import run_warm

from common.errors import ConfigError, NanError
from common.mmseg.classes import learned_classes
from common.mmseg.train import train
from common.run.rank import Rank
from workbench.check import check_out
from workbench.images import REPOSITORY
from workbench.masked import MaskedSample, render_masked

pytestmark = [
    pytest.mark.filterwarnings("ignore:When align_corners=True:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*instance named of visualizer has been created:UserWarning"),
]
"""The first is for workers to ignore; the second comes of several trainings in one process."""

SMALL_HRNET = " ".join(
    f"model.backbone.extra.stage{stage}.num_modules=1 model.backbone.extra.stage{stage}.num_blocks={blocks}"
    for stage, blocks in ((2, "(1,1)"), (3, "(1,1,1)"), (4, "(1,1,1,1)"))
)
"""Every branch with one block."""

MODELS = {
    "hrnet": ("fcn_hr18s_4xb2-40k_cityscapes-512x1024", SMALL_HRNET),
    "transformer": ("segformer_mit-b0_8xb2-160k_ade20k-512x512", ""),
    "auxiliary head": ("deeplabv3plus_r18-d8_4xb2-80k_cityscapes-512x1024", ""),
    "windows": ("pspnet_r18b-d8_4xb2-80k_cityscapes-769x769", "model.test_cfg.stride=(48,48)"),
}


@pytest.fixture(scope="module")
def scenes() -> list[MaskedSample]:
    return render_masked(20, seed=1)


@pytest.fixture(scope="module")
def trained(scenes: list[MaskedSample], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """From scratch with the default model, on odd images, one broken and one without objects."""
    root = tmp_path_factory.mktemp("trained") / "t"
    odd = odd_forms([masked.sample for masked in scenes[:11]])
    samples = [replace(masked, sample=sample) for masked, sample in zip(scenes, odd, strict=False)]
    empty = MaskedSample(scenes[11].sample.without_objects(), scenes[11].owners * 0 - 1)
    rotten = broken()
    unseen = MaskedSample(rotten, np.full(rotten.image.shape[:2], -1, np.int16))
    options = {"max_iters": 3, "interval": 2, "save_least_file": False, "args_options": "--seed 3 --amp"}
    env = write_task(root, [*samples, empty, unseen], scenes[12:16], options)
    before = listing(REPOSITORY / IMAGE) | listing(REPOSITORY / "common")
    outcome = run(env, image=IMAGE)
    assert outcome.status == 0
    assert listing(REPOSITORY / IMAGE) | listing(REPOSITORY / "common") == before, "nothing is written beside the code"
    return outcome


def test_training_obeys_the_contract(trained: Outcome) -> None:
    assert check_out(trained.out.parent / "in" / "env.yaml") == []
    stages = trained.result["model_stages"]
    assert set(stages) == {"best", "last", "iter_2", "iter_3"}
    assert trained.result["object_type"] == 3
    for stage in stages.values():
        assert {"mIoU", "mAcc", "aAcc"} < set(stage)
        assert "mAP" not in stage
        assert 0 < stage["mIoU"] <= stage["mAcc"] <= 1
    assert stages["best"]["mIoU"] == max(stage["mIoU"] for stage in stages.values())


def test_the_log_tells_every_evaluation_and_nothing_of_the_framework(trained: Outcome) -> None:
    assert "iteration 2/3: loss " in trained.log
    assert "iteration 3/3: loss " in trained.log
    assert "Warning" not in trained.log
    assert "mmengine" not in trained.log
    assert len(trained.log.splitlines()) < 40
    assert any("tfevents" in path.name for path in (trained.out / "tensorboard").iterdir())
    curve = (trained.out / "training-curve.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[0] for line in curve] == ["2", "3"]


def test_the_classes_are_told_one_by_one_with_the_background(trained: Outcome, scenes: list[MaskedSample]) -> None:
    assert_means(trained, LEARNED)
    pixels = sum(np.bincount(scene.labels(len(NAMES)).ravel(), minlength=len(LEARNED)) for scene in scenes[12:16])
    assert [each.count for each in trained.classes] == pixels.tolist()


def test_weights_go_with_what_inference_needs(trained: Outcome) -> None:
    checkpoint = torch.load(trained.best, weights_only=True)
    assert checkpoint["meta"]["dataset_meta"]["classes"] == list(LEARNED)
    config = Config.fromfile(trained.best.parent / "config.py")
    assert config.model.decode_head.num_classes == len(LEARNED)
    assert config.model.test_cfg.mode == "whole"
    assert str(trained.out.parent) not in config.pretty_text


def test_a_killed_training_goes_on_from_its_last_evaluation(scenes: list[MaskedSample], tmp_path: Path) -> None:
    env = write_task(tmp_path / "t", scenes[:8], scenes[8:10], {"max_iters": 40, "interval": 10})
    scratch = tmp_path / "t" / "out" / ".ymir"
    killed = run_warm(env, IMAGE, when=lambda: any(scratch.glob("*/run/validated")))
    assert "iteration 10/40" in killed.log
    again = run_warm(env, image=IMAGE)
    assert again.status == 0
    assert "iteration 10/40" not in again.log
    assert "iteration 40/40" in again.log
    curve = (again.out / "training-curve.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[0] for line in curve] == ["10", "20", "30", "40"]
    assert check_out(env) == []
    assert_means(again, LEARNED)


def test_two_ranks_train_together(scenes: list[MaskedSample], tmp_path: Path) -> None:
    ranks = {"PET_NPROC_PER_NODE": "2", "PET_STANDALONE": "1", "OMP_NUM_THREADS": "1"}
    env = write_task(tmp_path / "t", scenes[:8], scenes[8:11], {})
    outcome = run(env, image=IMAGE, **ranks)
    assert outcome.status == 0
    assert outcome.log.count("iteration 2/2") == 1
    assert check_out(env) == []
    assert_means(outcome, LEARNED)


@pytest.fixture
def train_here(scenes: list[MaskedSample], tmp_path: Path) -> Callable[..., Outcome]:
    """Trains in this process."""

    def trains(names: tuple[str, ...] = NAMES, pretrained: Sequence[Path] = (), **options: object) -> Outcome:
        env = write_task(tmp_path / "t", scenes[:4], scenes[4:6], options, names, pretrained=pretrained)
        done: list[float] = []
        train(prepared(env), parameters(**options), Rank(), done.append)
        assert done == sorted(done)
        assert done[-1] == pytest.approx(1)
        return Outcome(0, "", tmp_path / "t" / "out")

    return trains


def test_fine_tuning_goes_on_with_the_same_model(
    trained: Outcome, train_here: Callable[..., Outcome], caplog: pytest.LogCaptureFixture
) -> None:
    """The form names another model; the weights know better. The classes are others, and a pixel of none is unknown."""
    names = ("disc", "new", "star")
    weights = sorted(trained.best.parent.iterdir())
    caplog.set_level(logging.INFO)
    form = {"config_file": "fcn_hr18s_4xb2-40k_cityscapes-512x1024", "ignore_black_area": "true", "max_iters": 1}
    outcome = train_here(names, weights, **form)
    assert "the model is fast_scnn" in caplog.text
    assert "tensors taken from best.pth" in caplog.text
    assert torch.load(outcome.best, weights_only=True)["meta"]["dataset_meta"]["classes"] == list(names)


@pytest.mark.parametrize("kind", MODELS)
def test_models_of_every_kind_train(train_here: Callable[..., Outcome], kind: str) -> None:
    name, options = MODELS[kind]
    outcome = train_here(config_file=name, cfg_options=options)
    assert 0 < outcome.result["model_stages"]["best"]["mIoU"] < 1


def test_a_loss_that_is_no_number_stops_the_training(train_here: Callable[..., Outcome]) -> None:
    with pytest.raises(NanError, match=r"in iteration \d+; .*optim_wrapper.optimizer.lr"):
        train_here(cfg_options="optim_wrapper.optimizer.lr=1e30", max_iters=12, interval=12)


def test_a_model_that_normalises_over_a_batch_says_that_one_image_is_too_few(
    train_here: Callable[..., Outcome],
) -> None:
    with pytest.raises(ConfigError, match="samples_per_gpu: 1 is too few"):
        train_here(samples_per_gpu=1)


def test_options_that_fit_nothing_are_a_mistake_of_the_configuration(train_here: Callable[..., Outcome]) -> None:
    with pytest.raises(ConfigError, match=r"cfg_options.*NoSuchBackbone"):
        train_here(cfg_options="model.backbone.type=NoSuchBackbone")


def test_a_single_class_must_have_a_background() -> None:
    with pytest.raises(ConfigError, match="ignore_black_area"):
        learned_classes(("disc",), ignore_black_area=True)
    assert learned_classes(("disc",), ignore_black_area=False) == ("disc", "ymir_background")
