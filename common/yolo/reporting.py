"""Reports on a running YOLO training: progress, one log line per epoch, tensorboard, the curve, and its stages."""

import csv
import logging
from pathlib import Path

from common.progress import Progress
from common.results.curve import CURVE_FILE, Point, write_curve
from common.results.stages import Stages
from common.results.training_log import TrainingLog
from common.task.env import Task
from common.yolo.metrics import PRECISIONS, classes_of, metrics_of
from common.yolo.tasks import DETECT, SEGMENT
from common.yolo.trainer import Goals

log = logging.getLogger(__name__)

_TAGS = {DETECT: {"(B)": ""}, SEGMENT: {"(B)": "_box", "(M)": "_mask"}}
"""Replacements of ultralytics' suffixes of metrics in tensorboard."""


class Reporter:
    """Callbacks of one training.

    Args:
        task: names the output folders.
        stages: receives each checkpoint.
        progress: called with the finished share of the epochs.
    """

    def __init__(self, task: Task, stages: Stages, progress: Progress) -> None:
        self._task = task
        self._stages = stages
        self._progress = progress
        self._log = TrainingLog(task)
        self._batch = 0

    def attach(self, trainer: Goals) -> None:
        """Register the callbacks."""
        trainer.add_callback("on_train_start", self._start)
        trainer.add_callback("on_train_epoch_start", self._start_epoch)
        trainer.add_callback("on_train_batch_end", self._end_batch)
        trainer.add_callback("on_train_epoch_end", lambda trainer: trainer.check_loss())
        trainer.add_callback("on_model_save", self._saved)
        trainer.add_callback("on_fit_epoch_end", self._end_epoch)

    def close(self) -> None:
        """Flush what is still in memory."""
        self._log.close()

    def _start(self, trainer: Goals) -> None:
        if trainer.csv.is_file():  # of a killed training, whose last epoch may be missing in the curve
            points = read_results(trainer.csv, trainer.args.task)
            write_curve(self._task.env.output.root_dir / CURVE_FILE, points, self._task.object_type)
        log.info(
            "%s: %.2f M parameters, epochs %d to %d, batch %d, image size %d",
            Path(str(trainer.args.model)).stem,
            sum(parameter.numel() for parameter in trainer.model.parameters()) / 1e6,
            trainer.start_epoch + 1,
            trainer.epochs,
            trainer.batch_size,
            trainer.args.imgsz,
        )

    def _start_epoch(self, trainer: Goals) -> None:
        self._batch = 0

    def _end_batch(self, trainer: Goals) -> None:
        self._batch += 1
        self._progress((trainer.epoch + self._batch / len(trainer.train_loader)) / trainer.epochs)

    def _saved(self, trainer: Goals) -> None:
        best = trainer.best_fitness == trainer.fitness
        checkpoint = trainer.best if best else trainer.last
        metrics = metrics_of(trainer.args.task, trainer.metrics)
        classes = classes_of(trainer.args.task, trainer.validator.metrics)
        self._stages.publish(checkpoint, trainer.epoch + 1, metrics, best=best, classes=classes)

    def _end_epoch(self, trainer: Goals) -> None:
        losses = {f"train/{name}": float(value) for name, value in trainer.tloss.items()}
        values = {**losses, **{name: float(value) for name, value in trainer.metrics.items()}, **trainer.lr}
        epoch, kind = trainer.epoch + 1, trainer.args.task
        self._log.draw({_tag(name, kind): value for name, value in values.items()}, epoch)
        self._log.validated(epoch, trainer.epochs, metrics_of(kind, values), sum(losses.values()))


def read_results(path: Path, task: str) -> list[Point]:
    """Read the curve of a training for ultralytics' `task` from its results.csv."""
    goal = PRECISIONS[task][0]
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [Point(int(row["epoch"]), float(row[goal.at50]), float(row[goal.at50_95]), _total_loss(row)) for row in rows]


def _tag(name: str, task: str) -> str:
    """Turn a name of ultralytics into one of tensorboard, where brackets are not allowed."""
    for mark, text in _TAGS[task].items():
        name = name.replace(mark, text)
    return name


def _total_loss(row: dict[str, str]) -> float:
    return sum(float(value) for name, value in row.items() if name.startswith("train/"))
