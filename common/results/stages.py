"""Stages of a training: the checkpoints that the platform gets. They are valid from the first one on."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import msgspec

from common.contract import MAX_STAGES
from common.files import link_or_copy, write_bytes
from common.results.class_metrics import CLASS_FILE, ClassMetrics, write_classes
from common.results.training import (
    ATTACHMENTS,
    RANKED_BY,
    Stage,
    TrainingResult,
    keep_stages,
    unit,
    write_training_result,
)
from common.task.env import Task

BEST, LAST = "best", "last"

EVALUATE = {"iou_thr": 0.5, "conf_thr": 0.001}
"""Thresholds at which the metrics of a stage are computed."""

StageOrder = Callable[[Stage], tuple[float, ...]]
"""Sort key of stages; the largest is the best."""


class Retention(Protocol):
    """Policy of the checkpoints that are kept."""

    def names(self, step: int, *, best: bool) -> list[str]:
        """List the stages that the checkpoint of a step (epoch or iteration, counted from 1) becomes."""

    def kept(self, stages: Sequence[Stage], order: StageOrder) -> list[Stage]:
        """Select the stages that stay, oldest first: `MAX_STAGES` at most, the best among them."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """Keep the best epoch; with `every`, also the last one and every `every`-th, the newest if these are too many."""

    every: int | None

    def names(self, step: int, *, best: bool) -> list[str]:
        """See `Retention`."""
        names = [BEST] if best else []
        if self.every is not None:
            names += [LAST] if step % self.every else [LAST, f"epoch_{step}"]
        return names

    def kept(self, stages: Sequence[Stage], order: StageOrder) -> list[Stage]:
        """See `Retention`."""
        return keep_stages(stages, BEST)


@dataclass(frozen=True, slots=True)
class BestAndLatest:
    """Keep the `count` best and the `count` latest, named after their step; `best` and `last` in any case.

    If these are more than the platform takes, the best and the latest have priority, alternately.

    Attributes:
        count: see above; -1 = all.
        unit: name of a step: `epoch` or `iter`.
    """

    count: int
    unit: str = "epoch"

    def names(self, step: int, *, best: bool) -> list[str]:
        """See `Retention`."""
        return [*([BEST] if best else []), LAST, *([f"{self.unit}_{step}"] if self.count != 1 else [])]

    def kept(self, stages: Sequence[Stage], order: StageOrder) -> list[Stage]:
        """See `Retention`."""
        others = [stage for stage in stages if stage.name not in (BEST, LAST)]
        count = len(others) if self.count < 0 else self.count
        latest, best = others[::-1][:count], sorted(others, key=order, reverse=True)[:count]
        wanted = [BEST, LAST]
        for pair in zip(best, latest, strict=True):
            wanted += [stage.name for stage in pair if stage.name not in wanted]
        return [stage for stage in stages if stage.name in wanted[:MAX_STAGES]]


class Stages:
    """Publishes checkpoints below the models folder, and writes result.yaml and class-metrics.csv after each.

    A kill may come at any moment, and the platform reads result.yaml even then. So files are linked before result.yaml
    names them, and deleted after it has stopped naming them.

    Args:
        task: determines the folders.
        record: file that keeps the stages across a restart.
        retention: policy of the checkpoints that are kept.
    """

    def __init__(self, task: Task, record: Path, retention: Retention) -> None:
        self._task = task
        self._record = record
        self._retention = retention
        self._stages: list[Stage] = (
            msgspec.json.decode(record.read_bytes(), type=list[Stage]) if record.is_file() else []
        )
        self._attachments: dict[str, tuple[str, ...]] = {}

    def beats_best(self, metrics: Mapping[str, float]) -> bool:
        """Return whether a checkpoint with these metrics is better than all before."""
        best = next((stage for stage in self._stages if stage.name == BEST), None)
        return best is None or self._rank(_stage(BEST, (), metrics, ())) > self._rank(best)

    def publish(
        self,
        checkpoint: Path,
        step: int,
        metrics: Mapping[str, float],
        *,
        best: bool,
        classes: Sequence[ClassMetrics] = (),
        beside: Sequence[Path] = (),
    ) -> None:
        """Publish a checkpoint under the names that the retention policy gives it, if any.

        Args:
            checkpoint: the file; later replaced, never rewritten in place.
            step: epoch or iteration of the checkpoint, counted from 1.
            metrics: metrics of the checkpoint; brought into the range that the platform accepts.
            best: whether it is the best so far.
            classes: metrics by class, if known.
            beside: further files of the stage.
        """
        names = self._retention.names(step, best=best)
        for name in names:
            self._put(_stage(name, (), metrics, classes), checkpoint, beside)
        if names:
            self._write()

    def replace_file(self, stage: str, file: Path) -> None:
        """Put a new version of a file into a stage (without optimizer state), or a further file (its export)."""
        link_or_copy(file, self.folder(stage) / file.name)
        self._stages = [_with_file(item, file.name) if item.name == stage else item for item in self._stages]
        self._write()

    def attach(self, section: str, files: Sequence[Path]) -> None:
        """Add files that do not belong to a stage, under the name of a section. A restart has to attach them again."""
        for file in files:
            link_or_copy(file, self._task.env.output.models_dir / ATTACHMENTS / section / file.name)
        self._attachments[section] = tuple(file.name for file in files)
        self._write()

    def weights(self) -> list[tuple[str, Path]]:
        """List name and weights file of each stage."""
        return [(stage.name, self.folder(stage.name) / stage.files[0]) for stage in self._stages]

    def folder(self, stage: str) -> Path:
        """Folder of the files of a stage."""
        return self._task.env.output.models_dir / stage

    def _rank(self, stage: Stage) -> tuple[float, ...]:
        return tuple(stage.metrics[name] for name in RANKED_BY[self._task.object_type])

    def _put(self, stage: Stage, checkpoint: Path, beside: Sequence[Path]) -> None:
        files = {f"{stage.name}{checkpoint.suffix}": checkpoint, **{path.name: path for path in beside}}
        for file, source in files.items():
            link_or_copy(source, self.folder(stage.name) / file)
        others = [item for item in self._stages if item.name != stage.name]
        self._stages = [*others, replace(stage, files=tuple(files))]

    def _write(self) -> None:
        """Write result.yaml, then delete what it no longer names, then write the record for a restart."""
        kept = self._retention.kept(self._stages, self._rank)
        result = TrainingResult(self._task.object_type, kept, BEST, EVALUATE, self._attachments)
        output = self._task.env.output
        write_training_result(output.training_result_file, output.models_dir, result, legacy=self._task.legacy)
        for stage in self._stages:
            if stage not in kept:
                for file in stage.files:
                    (self.folder(stage.name) / file).unlink(missing_ok=True)
                self.folder(stage.name).rmdir()
        self._stages = kept
        self._write_classes()
        write_bytes(self._record, msgspec.json.encode(kept))

    def _write_classes(self) -> None:
        """Write the metrics by class of the best stage; a training that never validates does not have any."""
        best = next(stage for stage in self._stages if stage.name == BEST)
        if best.classes:
            write_classes(self._task.env.output.root_dir / CLASS_FILE, best.classes, self._task.object_type)


def _stage(name: str, files: tuple[str, ...], metrics: Mapping[str, float], classes: Sequence[ClassMetrics]) -> Stage:
    ours = {key: unit(value) for key, value in metrics.items()}
    return Stage(name, files, int(time.time()), ours, tuple(classes))


def _with_file(stage: Stage, name: str) -> Stage:
    return stage if name in stage.files else replace(stage, files=(*stage.files, name))
