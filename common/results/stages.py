"""The stages of a training: which checkpoints the platform gets, kept valid from the first one on."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from common.contract import MAX_STAGES
from common.env import Task
from common.files import link_or_copy, write_bytes
from common.results.training import Stage, TrainingResult, keep_stages, unit, write_training_result

BEST, LAST = "best", "last"

EVALUATE = {"iou_thr": 0.5, "conf_thr": 0.001}
"""What the metrics of a stage are computed at."""

RANKED_BY = ("mAP", "mAP50_95")
"""Metrics that tell a better epoch: what the platform compares models by, then what decides where that is equal."""


class Retention(Protocol):
    """Which epochs are kept."""

    def names(self, epoch: int, *, best: bool) -> list[str]:
        """Stages that the checkpoint of an epoch, counted from 1, becomes."""

    def kept(self, stages: Sequence[Stage]) -> list[Stage]:
        """Those that stay, oldest first, `MAX_STAGES` at most, the best among them."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """The best epoch; with `every`, also the last one and every `every`-th, the newest ones where they are too many."""

    every: int | None

    def names(self, epoch: int, *, best: bool) -> list[str]:
        """See `Retention`."""
        names = [BEST] if best else []
        if self.every is not None:
            names += [LAST] if epoch % self.every else [LAST, f"epoch_{epoch}"]
        return names

    def kept(self, stages: Sequence[Stage]) -> list[Stage]:
        """See `Retention`."""
        return keep_stages(stages, BEST)


@dataclass(frozen=True, slots=True)
class BestAndLatest:
    """The `count` best and the `count` latest epochs, under the name of the epoch; `best` and `last` in any case.

    -1: all epochs. Where they are more than the platform takes, the best and the latest go before the others.
    """

    count: int

    def names(self, epoch: int, *, best: bool) -> list[str]:
        """See `Retention`."""
        return [*([BEST] if best else []), LAST, *([f"epoch_{epoch}"] if self.count != 1 else [])]

    def kept(self, stages: Sequence[Stage]) -> list[Stage]:
        """See `Retention`."""
        epochs = [stage for stage in stages if stage.name not in (BEST, LAST)]
        count = len(epochs) if self.count < 0 else self.count
        latest, best = epochs[::-1][:count], sorted(epochs, key=rank, reverse=True)[:count]
        wanted = [BEST, LAST]
        for pair in zip(best, latest, strict=True):
            wanted += [stage.name for stage in pair if stage.name not in wanted]
        return [stage for stage in stages if stage.name in wanted[:MAX_STAGES]]


def rank(stage: Stage) -> tuple[float, ...]:
    """The bigger, the better the stage."""
    return tuple(stage.metrics[name] for name in RANKED_BY)


class Stages:
    """Publishes checkpoints below the models folder, and writes result.yaml after each.

    Args:
        task: names the folders.
        record: where the stages are remembered across a restart.
        retention: which epochs are kept.
    """

    def __init__(self, task: Task, record: Path, retention: Retention) -> None:
        self._task = task
        self._record = record
        self._retention = retention
        self._stages: list[Stage] = (
            msgspec.json.decode(record.read_bytes(), type=list[Stage]) if record.is_file() else []
        )

    def beats_best(self, metrics: Mapping[str, float]) -> bool:
        """Whether an epoch with these metrics is better than all before."""
        best = next((stage for stage in self._stages if stage.name == BEST), None)
        return best is None or rank(_stage(BEST, (), metrics)) > rank(best)

    def publish(
        self, checkpoint: Path, epoch: int, metrics: Mapping[str, float], *, best: bool, beside: Sequence[Path] = ()
    ) -> None:
        """Offer the checkpoint of an epoch.

        Args:
            checkpoint: the file; later replaced, never rewritten.
            epoch: counted from 1.
            metrics: of this epoch; brought into the range that the platform accepts.
            best: whether it is the best so far.
            beside: further files of the stage.
        """
        names = self._retention.names(epoch, best=best)
        for name in names:
            self._put(name, checkpoint, metrics, beside)
        if names:
            self._write()

    def replace_file(self, stage: str, file: Path) -> None:
        """Put another version of a file into a stage (without optimizer state), or a further one (its export)."""
        link_or_copy(file, self.folder(stage) / file.name)
        self._stages = [_with_file(item, file.name) if item.name == stage else item for item in self._stages]
        self._write()

    def weights(self) -> list[tuple[str, Path]]:
        """Name and weights file of each stage."""
        return [(stage.name, self.folder(stage.name) / stage.files[0]) for stage in self._stages]

    def folder(self, stage: str) -> Path:
        """Where the files of a stage lie."""
        return self._task.env.output.models_dir / stage

    def _put(self, name: str, checkpoint: Path, metrics: Mapping[str, float], beside: Sequence[Path]) -> None:
        files = {f"{name}{checkpoint.suffix}": checkpoint, **{path.name: path for path in beside}}
        for file, source in files.items():
            link_or_copy(source, self.folder(name) / file)
        self._stages = [item for item in self._stages if item.name != name] + [_stage(name, tuple(files), metrics)]

    def _write(self) -> None:
        """result.yaml first, so that it never names a file that is removed next."""
        kept = self._retention.kept(self._stages)
        result = TrainingResult(self._task.object_type, kept, BEST, EVALUATE)
        output = self._task.env.output
        write_training_result(output.training_result_file, output.models_dir, result, legacy=self._task.legacy)
        for stage in self._stages:
            if stage not in kept:
                for file in stage.files:
                    (self.folder(stage.name) / file).unlink(missing_ok=True)
                self.folder(stage.name).rmdir()
        self._stages = kept
        write_bytes(self._record, msgspec.json.encode(kept))


def _stage(name: str, files: tuple[str, ...], metrics: Mapping[str, float]) -> Stage:
    return Stage(name, files, int(time.time()), {key: unit(value) for key, value in metrics.items()})


def _with_file(stage: Stage, name: str) -> Stage:
    files = stage.files if name in stage.files else (*stage.files, name)
    return Stage(stage.name, files, stage.timestamp, stage.metrics)
