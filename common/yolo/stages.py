"""The stages of a YOLO training: which checkpoints the platform gets, kept valid from the first one on."""

import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from common.env import Task
from common.files import link_or_copy, write_bytes
from common.results.training import Stage, TrainingResult, keep_stages, unit, write_training_result

BEST, LAST = "best", "last"
MAP50, MAP50_95 = "metrics/mAP50(B)", "metrics/mAP50-95(B)"
"""ultralytics' names of average precision at IoU 0.5 and averaged over IoU 0.5 to 0.95."""

EVALUATE = {"iou_thr": 0.5, "conf_thr": 0.001}
"""What the metrics of a stage are computed at."""


def metrics_of(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics of a stage, from those of ultralytics."""
    return {"mAP": float(metrics[MAP50]), "mAP50_95": float(metrics[MAP50_95])}


class Stages:
    """Publishes checkpoints below the models folder, and writes result.yaml after each.

    Args:
        task: names the folders.
        record: where the stages are remembered across a restart.
        every: publish each `every`-th epoch and the last one as stages of their own; None = only the best.
    """

    def __init__(self, task: Task, record: Path, every: int | None) -> None:
        self._task = task
        self._record = record
        self._every = every
        self._stages: list[Stage] = (
            msgspec.json.decode(record.read_bytes(), type=list[Stage]) if record.is_file() else []
        )

    def publish(self, checkpoint: Path, epoch: int, metrics: dict[str, float], *, best: bool) -> None:
        """Offer the checkpoint of an epoch.

        Args:
            checkpoint: the file; later replaced, never rewritten.
            epoch: counted from 1.
            metrics: of this epoch; brought into the range that the platform accepts.
            best: whether it is the best so far.
        """
        names = [BEST] if best else []
        if self._every is not None:
            names += [LAST] if epoch % self._every else [LAST, f"epoch_{epoch}"]
        for name in names:
            self._put(name, checkpoint, metrics)
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

    def _put(self, name: str, checkpoint: Path, metrics: dict[str, float]) -> None:
        file = f"{name}.pt"
        link_or_copy(checkpoint, self.folder(name) / file)
        stage = Stage(name, (file,), int(time.time()), {key: unit(value) for key, value in metrics.items()})
        self._stages = [item for item in self._stages if item.name != name] + [stage]

    def _write(self) -> None:
        """result.yaml first, so that it never names a file that is removed next."""
        kept = keep_stages(self._stages, BEST)
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


def _with_file(stage: Stage, name: str) -> Stage:
    files = stage.files if name in stage.files else (*stage.files, name)
    return Stage(stage.name, files, stage.timestamp, stage.metrics)
