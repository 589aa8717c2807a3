"""What users trained with the yolov5 repository goes on working: inference, mining, and fine-tuning."""

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from lively import lively_detector
from tasks import CANDIDATES, NAMES, TRAINING, Outcome, prepared, run
from written_by_yolov5 import write

from common.contract import ObjectType
from common.yolo.checkpoint import read_weights
from common.yolo.data import write_data
from common.yolo.starting_point import starting_point
from common.yolo.train import head_of
from workbench.check import check_out
from workbench.images import REPOSITORY, image
from workbench.platform import write_candidate_task, write_training_task


@pytest.fixture(scope="module")
def old(lively: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lively model as yolov5 v6 would have saved it."""
    return write(read_weights(lively), tmp_path_factory.mktemp("old") / "best.pt", names=list(NAMES), half=False)


def candidates(root: Path, pool: list, model: Path) -> Outcome:
    options = {**CANDIDATES, "mining_algorithm": "aldd"}
    env = write_candidate_task(root / "task", pool, [model], NAMES, options, run_mining=True, run_infer=True)
    outcome = run(env)
    assert outcome.status == 0
    assert check_out(env) == []
    return outcome


def test_it_infers_and_mines_as_the_same_model_of_today(old: Path, lively: Path, samples: list, tmp_path: Path) -> None:
    pool = samples[32:40]
    then, now = candidates(tmp_path / "old", pool, old), candidates(tmp_path / "new", pool, lively)
    assert then.objects == now.objects
    assert any(then.objects.values())
    assert then.ranking == now.ranking
    assert "YOLOv5 v6 checkpoint: yolov5n, 3 classes" in then.log


def test_masks_too(samples: list, tmp_path: Path) -> None:
    lively = lively_detector("yolov5n-seg", NAMES, samples, tmp_path / "lively.pt")
    old = write(read_weights(lively), tmp_path / "best.pt", network="SegmentationModel", key="ema", half=False)
    documents = []
    for name, model in (("old", old), ("new", lively)):
        env = write_candidate_task(
            tmp_path / name,
            samples[32:36],
            [model],
            NAMES,
            CANDIDATES,
            object_type=ObjectType.INSTANCE,
            run_mining=False,
            run_infer=True,
        )
        outcome = run(env, image="seg-all-in-one-tmi")
        assert outcome.status == 0
        documents.append(outcome.document)
    assert documents[0]["annotations"] == documents[1]["annotations"]
    assert len(documents[0]["annotations"]) > 0


def test_it_is_fine_tuned_for_more_classes(old: Path, samples: list, tmp_path: Path) -> None:
    names = ("star", "cross", "Disc")
    options = {**TRAINING, "epochs": 1}
    env = write_training_task(tmp_path / "t", samples[:8], samples[8:12], names, options, pretrained=[old])
    outcome = run(env)
    assert outcome.status == 0
    assert "YOLOv5 v6 checkpoint: yolov5n, 3 classes" in outcome.log
    assert "the model is that of the weights, yolov5n" in outcome.log
    assert "classes that best.pt knows: star, Disc; new ones: cross" in outcome.log
    assert "anchors: best possible recall" in outcome.log
    tuned = read_weights(outcome.best)
    assert type(tuned.model[-1]).__name__ == "AnchoredDetect"
    assert (tuned.args["box"], tuned.args["cls"]) == (0.05, 0.5), "the gains of YOLOv5's loss"
    onnx.checker.check_model(onnx.load(str(outcome.best.with_suffix(".onnx"))))


def trainer_of(model: Path, samples: list, root: Path) -> Any:
    """The trainer of a task that fine-tunes a model, ready for its first epoch."""
    from common.yolo.trainer import trainer_for

    env = write_training_task(root / "t", samples[:8], samples[8:16], NAMES, TRAINING, pretrained=[model])
    task = prepared(env)
    with image(REPOSITORY / "det-yolov5-tmi"):
        from params import Training

        start = starting_point(task, Training(**{"model": "yolov5n"}))
    data = write_data(task, task.scratch / "data")
    options = {"data": str(data), "imgsz": 64, "batch": 8, "device": "cpu", "project": str(root), "plots": False}
    trainer = trainer_for("detect", head_of(Path(start["model"])))(overrides=options | start)
    trainer._setup_train()
    trainer.epoch, trainer.loss = 0, torch.zeros(())
    trainer.loss_items = dict.fromkeys(("box_loss", "obj_loss", "cls_loss"), torch.zeros(()))
    return trainer


def test_fine_tuning_starts_where_the_old_model_stopped(old: Path, samples: list, tmp_path: Path) -> None:
    """Before the first epoch it predicts what the old model does, and so has its AP."""
    trainer = trainer_of(old, samples, tmp_path)
    pixels = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        expected = read_weights(old).eval()(pixels)[0]
        torch.testing.assert_close(trainer.ema.ema.eval()(pixels)[0], expected)
    ours, _ = trainer.validate()
    trainer.ema.ema = read_weights(old)
    trainer.ema.ema.args = trainer.args
    theirs, _ = trainer.validate()
    assert ours == theirs
    assert any(value > 0 for name, value in ours.items() if name.startswith("metrics/mAP"))


def test_anchors_that_do_not_fit_are_estimated_anew(
    old: Path, samples: list, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = read_weights(old)
    model.set_anchors(model.model[-1].sizes * 40)
    huge = write(model, tmp_path / "best.pt", half=False)
    caplog.set_level("INFO")
    trainer = trainer_of(huge, samples, tmp_path)
    assert "estimated anew" in caplog.text
    sizes = trainer.model.model[-1].sizes
    assert sizes.max() < 200
    torch.testing.assert_close(trainer.ema.ema.model[-1].sizes, sizes)
    assert trainer.model.yaml["anchors"] == sizes.flatten(1).tolist()


def test_activate_changes_an_old_model_too(old: Path, samples: list, tmp_path: Path) -> None:
    options = {**TRAINING, "epochs": 1, "activate": "ReLU", "args_options": "--noautoanchor"}
    env = write_training_task(tmp_path / "t", samples[:8], samples[8:12], NAMES, options, pretrained=[old])
    outcome = run(env)
    assert outcome.status == 0
    assert "activate: ReLU is not what best.pt was trained with" in outcome.log
    kinds = {type(module).__name__ for module in read_weights(outcome.best).modules()}
    assert "ReLU" in kinds
    assert "SiLU" not in kinds
