"""rot-mmrotate-tmi trains, as the platform starts it: every kind of detector, and data sets of every kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from odd import broken, odd_forms
from tasks import MMROTATE, Outcome, assert_means, listing, run
from warm import run_warm

from workbench import ships
from workbench.check import check_out
from workbench.images import REPOSITORY
from workbench.platform import write_training_task

NAMES = ships.CLASS_NAMES

TRAINING = {
    "export_format": "ark:raw",
    "model_name": "rtmdet_tiny",
    "samples_per_gpu": 4,
    "workers_per_gpu": 0,
    "max_epochs": 2,
    "img_size": 64,
    "max_bad_images": 0.1,
}

SMALL = "model.backbone.depth=18 model.neck.in_channels=[64,128,256,512]"
"""As detectors go."""

FEW = (
    "model.train_cfg.rcnn.sampler.num=16 model.train_cfg.rpn_proposal.max_per_img=50"
    " model.test_cfg.rpn.max_per_img=20 model.roi_head.bbox_head.fc_out_channels=64"
)
"""Proposals, each of which a second stage looks at."""


@dataclass(frozen=True)
class Kind:
    """A detector, made small."""

    model: str
    options: Mapping[str, object] = field(default_factory=dict)


KINDS = {
    "rtmdet": Kind("rtmdet_tiny"),
    "oriented r-cnn": Kind("oriented-rcnn-le90_r50_fpn_1x_dota", {"cfg_options": f"{SMALL} {FEW}", "max_epochs": 1}),
    "retinanet": Kind("rotated-retinanet-rbox-le90_r50_fpn_1x_dota", {"cfg_options": SMALL, "max_epochs": 1}),
    "fcos": Kind("rotated-fcos-le90_r50_fpn_1x_dota", {"cfg_options": SMALL, "max_epochs": 1}),
}


@pytest.fixture(scope="module")
def sea() -> list:
    return ships.render(20, seed=1)


def train(root: Path, samples: list, val: list, runs: Callable[..., Outcome] = run_warm, **options) -> Outcome:
    pretrained = options.pop("pretrained", ())
    unit = options.pop("radians", 1.0)
    names = options.pop("class_names", NAMES)
    env = write_training_task(
        root / "t", samples, val, names, {**TRAINING, **options}, pretrained=pretrained, angle_unit=unit
    )
    return runs(env, image=MMROTATE)


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def trained(request: pytest.FixtureRequest, sea: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """From scratch, on odd images, one broken and one without objects."""
    root = tmp_path_factory.mktemp("trained")
    samples = [*odd_forms(sea[:11]), sea[11].without_objects(), broken()]
    before = listing(REPOSITORY / MMROTATE)
    kind = request.param
    runs = run if kind is KINDS["rtmdet"] else run_warm
    outcome = train(root, samples, sea[12:16], runs, model_name=kind.model, **kind.options)
    assert outcome.status == 0
    assert listing(REPOSITORY / MMROTATE) == before, "nothing is written beside the code"
    return outcome


def test_training_obeys_the_contract(trained: Outcome) -> None:
    assert check_out(trained.out.parent / "in" / "env.yaml") == []
    assert set(trained.result["model_stages"]) == {"best", "last"}


def test_three_average_precisions_are_told(trained: Outcome) -> None:
    stage = trained.result["model_stages"]["best"]
    assert {name for name in stage if name.startswith("mA")} == {"mAP", "mAP75", "mAP50_95"}
    assert all(0 <= stage[name] <= 1 for name in ("mAP", "mAP75", "mAP50_95"))


def test_the_classes_are_told_one_by_one(trained: Outcome, sea: list) -> None:
    assert_means(trained, NAMES)
    objects = np.bincount(np.concatenate([sample.classes for sample in sea[12:16]]), minlength=len(NAMES))
    assert [each.count for each in trained.classes] == objects.tolist()


def test_the_log_tells_nothing_of_the_framework(trained: Outcome) -> None:
    assert "Warning" not in trained.log
    assert "Could not import" not in trained.log
    assert len(trained.log.splitlines()) < 40


def test_the_way_in_which_boxes_are_written_goes_with_the_weights(trained: Outcome) -> None:
    """The sides along the angle are the longer ones, and angles fill half a circle."""
    config = Config.fromfile(trained.best.parent / "config.py")
    assert config.rotate_angle["unit"] == "radian"
    assert config.rotate_angle["long_side"] is True
    assert config.rotate_angle["start"] == pytest.approx(-np.pi / 2, abs=0.3)


@pytest.mark.parametrize("trained", [KINDS["rtmdet"]], ids=["rtmdet"], indirect=True)
def test_fine_tuning_goes_on_with_the_same_model_in_another_unit(trained: Outcome, sea: list, tmp_path: Path) -> None:
    """The form names another model; the weights know better. The classes are others."""
    outcome = train(
        tmp_path,
        sea[:4],
        sea[4:6],
        model_name="rtmdet_s",
        class_names=("new", *NAMES),
        max_epochs=1,
        export_format="voc:raw",
        angle_unit="pi",
        radians=np.pi,
        pretrained=sorted(trained.best.parent.iterdir()),
    )
    assert outcome.status == 0
    assert check_out(outcome.out.parent / "in" / "env.yaml") == []
    assert "tensors taken from best.pth" in outcome.log
    assert "training from scratch" not in outcome.log
    convention = Config.fromfile(outcome.best.parent / "config.py").rotate_angle
    assert convention["unit"] == "pi"
    assert convention["start"] == pytest.approx(-np.pi / 2, abs=0.3)


def test_a_data_set_that_is_not_rotated_keeps_its_boxes_upright(samples: list, tmp_path: Path) -> None:
    """COCO files have no angles."""
    outcome = train(
        tmp_path,
        samples[:8],
        samples[8:12],
        class_names=("disc", "triangle", "star"),
        export_format="coco:raw",
        max_epochs=1,
    )
    assert outcome.status == 0
    convention = Config.fromfile(outcome.best.parent / "config.py").rotate_angle
    assert convention == {"unit": "radian", "start": pytest.approx(-np.pi / 4), "long_side": False}


def test_data_sets_without_any_object_end_well(sea: list, tmp_path: Path) -> None:
    empty = [sample.without_objects() for sample in sea]
    outcome = train(tmp_path, empty[:8], empty[8:12], max_epochs=1)
    assert outcome.status == 0
    assert check_out(outcome.out.parent / "in" / "env.yaml") == []
    assert "train: no object at all" in outcome.log
    assert outcome.result["model_stages"]["best"]["mAP"] == 0
