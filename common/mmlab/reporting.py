"""Reports on a running OpenMMLab training: progress, checkpoints, log lines, the curve, stages."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from common.errors import NanError
from common.files import write_text
from common.mmlab.fit.classes import set_classes
from common.mmlab.model.checkpoint import Weights, load_into, write_weights
from common.mmlab.model.class_rows import keep_classes
from common.progress import Progress
from common.results.stages import Stages
from common.results.training_log import TrainingLog
from common.task.env import Task

LAST = "last.pth"
"""Name of the checkpoint that a restart resumes from, in the folder of the runner."""

CONFIG = "config.py"
"""Name of the configuration that is published beside the weights, in the same folder."""

VALIDATED = "validated"
"""Name of the file with the number of the last epoch or iteration that was validated and published."""

VALIDATION_SHARE = 0.1
"""Share of a validation in the time from one to the next, roughly."""

CHECK_LOSS_EVERY = 10
"""Iterations. Reading the loss of every one would make a GPU wait."""


class Reporter(Hook):  # type: ignore[misc]  # mmengine is untyped
    """Callbacks of one training, on every rank; only rank 0 writes. Subclasses count epochs or iterations.

    Args:
        task: names the output folders.
        model: key of the configuration, see `catalogue.config_files`.
        config: published beside the weights.
        class_names: of all classes that the model learns.
        stages: receives each validated epoch or iteration.
        weights: to start from; None = from scratch.
        progress: called with the share of the training that is done.
    """

    priority = "VERY_LOW"  # after the framework's own hooks, such as that of the averaged weights

    unit: ClassVar[str]
    """`epoch` or `iteration`."""

    @staticmethod
    @abstractmethod
    def set_classes(config: Config, count: int) -> None:
        """Fit a configuration to a number of classes, in place."""

    def __init__(
        self,
        task: Task,
        model: str,
        config: Config,
        class_names: Sequence[str],
        stages: Stages,
        weights: Weights | None,
        progress: Progress,
    ) -> None:
        self.config = config
        self._model = model
        self._class_names = class_names
        self._stages = stages
        self._weights = weights
        self._progress = progress
        self._log = TrainingLog(task, self.unit)

    @abstractmethod
    def done(self, runner: Runner) -> int:
        """Finished epochs or iterations."""

    @abstractmethod
    def whole(self, runner: Runner) -> int:
        """Total number of epochs or iterations."""

    @abstractmethod
    def iterations(self, runner: Runner) -> int:
        """Iterations averaged for the reported loss."""

    def before_train(self, runner: Runner) -> None:
        """Load the weights, or validate the last checkpoint if a kill prevented that."""
        done = self.done(runner)
        if done == 0:
            if self._weights is not None:
                model = _plain(runner.model)
                weights = keep_classes(
                    self._weights, model.state_dict(), runner.cfg, self._class_names, type(self).set_classes
                )
                load_into(model, weights)
        elif self.due(runner, done) and validated(Path(runner.work_dir)) < done:
            runner.val_loop.run()

    def after_val_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """Publish the validated model."""
        if runner.rank != 0:
            return
        values = {name: float(value) for name, value in (metrics or {}).items()}
        folder = Path(runner.work_dir)
        checkpoint = folder / "stage.pth"
        state = CheckpointLoader.load_checkpoint(str(folder / LAST), map_location="cpu")["state_dict"]
        write_weights(checkpoint, state, config=self.config, class_names=self._class_names, model=self._model)
        self._log_validation(runner, values)
        best, done = self._stages.beats_best(values), self.done(runner)
        classes = runner.val_evaluator.metrics[0].classes
        self._stages.publish(checkpoint, done, values, best=best, classes=classes, beside=[folder / CONFIG])
        write_text(folder / VALIDATED, str(done))

    def close(self) -> None:
        """Flush what is still in memory."""
        self._log.close()

    def due(self, runner: Runner, done: int) -> bool:
        """Decide whether a validation follows after `done` epochs or iterations."""
        return bool(done % runner.val_interval == 0 or done == self.whole(runner))

    def check_loss(self, runner: Runner, loss: Tensor) -> None:
        """Stop a training whose loss is not finite.

        Raises:
            NanError: the loss is NaN or infinite.
        """
        value = float(loss.detach())
        if not math.isfinite(value):
            raise NanError(
                f"the loss is {value} in {self.unit} {self.done(runner) + 1}; a smaller learning rate may help"
                " (cfg_options: optim_wrapper.optimizer.lr=...)"
            )

    def save(self, runner: Runner, *, by_epoch: bool) -> None:
        """Save the whole state under another name first, so that a restart never resumes from a half-written one."""
        folder = Path(runner.work_dir)
        runner.save_checkpoint(str(folder), f"{LAST}.tmp", by_epoch=by_epoch)
        if runner.rank == 0:
            (folder / f"{LAST}.tmp").replace(folder / LAST)

    def report_progress(self, runner: Runner, done: float) -> None:
        """Report the finished share."""
        self._progress(done / self.whole(runner))

    def draw(self, runner: Runner, done: int, iterations: int) -> dict[str, float]:
        """Draw the losses, each the mean over some iterations, and the learning rates. Returns the losses."""
        scalars = runner.message_hub.log_scalars
        losses = {name: float(scalars[name].mean(iterations)) for name in scalars if "loss" in name}
        rates = {name: scalars[name].current() for name in scalars if name.startswith("train/lr")}
        self._log.draw({**losses, **rates}, done)
        return losses

    def _log_validation(self, runner: Runner, metrics: Mapping[str, float]) -> None:
        done = self.done(runner)
        loss = self.draw(runner, done, self.iterations(runner)).get("train/loss", math.nan)
        self._log.draw({f"val/{name}": value for name, value in metrics.items()}, done)
        self._log.validated(done, self.whole(runner), metrics, loss)


class EpochReporter(Reporter):
    """Reports on a training that is counted in epochs."""

    unit = "epoch"

    @staticmethod
    def set_classes(config: Config, count: int) -> None:
        """See `Reporter`."""
        set_classes(config, count)

    def done(self, runner: Runner) -> int:
        """See `Reporter`."""
        return int(runner.epoch)

    def whole(self, runner: Runner) -> int:
        """See `Reporter`."""
        return int(runner.max_epochs)

    def iterations(self, runner: Runner) -> int:
        """Iterations of an epoch."""
        return len(runner.train_dataloader)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object, outputs: Mapping[str, Tensor]
    ) -> None:
        """Check the loss, and report progress."""
        count = len(runner.train_dataloader)
        if batch_idx % CHECK_LOSS_EVERY == 0 or batch_idx + 1 == count:
            self.check_loss(runner, outputs["loss"])
        self.report_progress(runner, runner.epoch + (1 - VALIDATION_SHARE) * (batch_idx + 1) / count)

    def after_train_epoch(self, runner: Runner) -> None:
        """Save each epoch."""
        self.save(runner, by_epoch=True)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: object, outputs: object) -> None:
        """Report progress; the epoch is counted already."""
        left = VALIDATION_SHARE * (1 - (batch_idx + 1) / len(runner.val_dataloader))
        self.report_progress(runner, runner.epoch - left)


def validated(folder: Path) -> int:
    """Read the last epoch or iteration that was validated and published; 0 = none."""
    path = folder / VALIDATED
    return int(path.read_text(encoding="utf-8")) if path.is_file() else 0


def _plain(model: nn.Module) -> nn.Module:
    """The model inside DistributedDataParallel."""
    plain: nn.Module = getattr(model, "module", model)
    return plain
