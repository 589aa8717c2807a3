"""What people see of a training while it runs."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from common.contract import ObjectType
from common.results.training_log import TrainingLog


@dataclass
class Task:
    """What the log needs of a task."""

    root: Path
    object_type: ObjectType = ObjectType.DETECTION

    @property
    def env(self) -> Any:
        return SimpleNamespace(output=SimpleNamespace(root_dir=self.root, tensorboard_dir=self.root / "tensorboard"))


def test_a_validation_is_a_line_of_the_log_and_of_the_curve(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log = TrainingLog(Task(tmp_path), "epoch")
    log.validated(2, 10, {"mAP": 0.5, "mAP50_95": 0.25, "mAR": 0.75}, 1.5)
    log.close()
    assert caplog.messages == ["epoch 2/10: loss 1.5000, mAP 0.5000, mAP50_95 0.2500, mAR 0.7500"]
    curve = (tmp_path / "training-curve.csv").read_text(encoding="utf-8")
    assert curve == "epoch,mAP,mAP50_95,loss\n2,0.5,0.25,1.5\n"
    assert not (tmp_path / "tensorboard").exists(), "nothing was drawn"


def test_the_columns_are_those_of_the_object_type(tmp_path: Path) -> None:
    TrainingLog(Task(tmp_path, ObjectType.SEMANTIC), "iteration").validated(500, 1000, {"mAcc": 0.5, "mIoU": 0.25})
    curve = (tmp_path / "training-curve.csv").read_text(encoding="utf-8")
    assert curve == "iteration,mIoU,mAcc,loss\n500,0.25,0.5,nan\n"


def test_drawn_values_reach_tensorboard(tmp_path: Path) -> None:
    log = TrainingLog(Task(tmp_path))
    log.draw({"train/loss": 0.5}, 3)
    log.close()
    (events,) = (tmp_path / "tensorboard").iterdir()
    assert b"train/loss" in events.read_bytes()
