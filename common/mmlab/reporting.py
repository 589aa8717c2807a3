"""What a running OpenMMLab training tells and saves: progress, checkpoints, a log line an epoch, the curve, stages."""

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader
from tensorboardX import SummaryWriter

from common.env import Task
from common.errors import NanError
from common.files import write_text
from common.mmlab.checkpoint import Weights, load_into, write_weights
from common.progress import Progress
from common.results.curve import CURVE_FILE, Point, add_point
from common.results.stages import Stages

log = logging.getLogger(__name__)

LAST = "last.pth"
"""What a restart goes on from, in the folder of the runner."""

CONFIG = "config.py"
"""The configuration that is published beside the weights, in the same folder."""

VALIDATED = "validated"
"""Holds the number of the last epoch that was validated and published."""

VALIDATION_SHARE = 0.1
"""Of the time of an epoch with validation, roughly."""

CHECK_LOSS_EVERY = 10
"""Iterations. Reading the loss of each would make a GPU wait."""


class Reporter(Hook):  # type: ignore[misc]  # mmengine is untyped
    """Callbacks of one training, on every rank; only rank 0 writes.

    Args:
        task: names the output folders.
        model: key of the configuration, see `configs.config_files`.
        config: published beside the weights.
        stages: receives each validated epoch.
        weights: to start from; None = from scratch.
        progress: called with the share of the epochs that is done.
    """

    priority = "VERY_LOW"

    def __init__(
        self, task: Task, model: str, config: Config, stages: Stages, weights: Weights | None, progress: Progress
    ) -> None:
        self._task = task
        self._model = model
        self._config = config
        self._stages = stages
        self._weights = weights
        self._progress = progress
        self._tensorboard: SummaryWriter | None = None

    def before_train(self, runner: Runner) -> None:
        """Load the weights, or do what a kill prevented: validate the last finished epoch."""
        if runner.rank == 0:
            self._tensorboard = SummaryWriter(str(self._task.env.output.tensorboard_dir))
        if runner.epoch == 0:
            if self._weights is not None:
                load_into(_plain(runner.model), self._weights)
        elif self._due(runner) and validated(Path(runner.work_dir)) < runner.epoch:
            runner.val_loop.run()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Tell progress; stop where the loss is no number.

        Raises:
            NanError: it is NaN or infinite.
        """
        count = len(runner.train_dataloader)
        if batch_idx % CHECK_LOSS_EVERY == 0 or batch_idx + 1 == count:
            loss = float(outputs["loss"].detach())
            if not math.isfinite(loss):
                raise NanError(
                    f"the loss is {loss} in epoch {runner.epoch + 1}; a smaller learning rate may help"
                    " (cfg_options: optim_wrapper.optimizer.lr=...)"
                )
        share = (1 - VALIDATION_SHARE) * (batch_idx + 1) / count
        self._progress((runner.epoch + share) / runner.max_epochs)

    def after_train_epoch(self, runner: Runner) -> None:
        """Save the whole state under another name first: what a restart goes on from is never half-written."""
        folder = Path(runner.work_dir)
        runner.save_checkpoint(str(folder), f"{LAST}.tmp")
        if runner.rank == 0:
            (folder / f"{LAST}.tmp").replace(folder / LAST)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Tell progress; the epoch is counted already."""
        left = VALIDATION_SHARE * (1 - (batch_idx + 1) / len(runner.val_dataloader))
        self._progress((runner.epoch - left) / runner.max_epochs)

    def after_val_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """Publish the epoch."""
        if runner.rank != 0:
            return
        assert metrics is not None
        values = {name: float(value) for name, value in metrics.items()}
        folder = Path(runner.work_dir)
        checkpoint = folder / "epoch.pth"
        state = CheckpointLoader.load_checkpoint(str(folder / LAST), map_location="cpu")["state_dict"]
        write_weights(checkpoint, state, config=self._config, class_names=self._task.class_names, model=self._model)
        self._tell(runner, values)
        best = self._stages.beats_best(values)
        self._stages.publish(checkpoint, runner.epoch, values, best=best, beside=[folder / CONFIG])
        write_text(folder / VALIDATED, str(runner.epoch))

    def close(self) -> None:
        """Flush what is still in memory."""
        if self._tensorboard is not None:
            self._tensorboard.close()

    def _due(self, runner: Runner) -> bool:
        return bool(runner.epoch % runner.val_interval == 0 or runner.epoch == runner.max_epochs)

    def _tell(self, runner: Runner, metrics: Mapping[str, float]) -> None:
        scalars = runner.message_hub.log_scalars
        losses = {name: scalars[name].mean(len(runner.train_dataloader)) for name in scalars if "loss" in name}
        rates = {name: scalars[name].current() for name in scalars if name.startswith("train/lr")}
        assert self._tensorboard is not None
        for name, value in {**losses, **rates, **{f"val/{name}": value for name, value in metrics.items()}}.items():
            self._tensorboard.add_scalar(name, value, runner.epoch)
        loss = float(losses.get("train/loss", math.nan))
        shown = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        log.info("epoch %d/%d: loss %.4f, %s", runner.epoch, runner.max_epochs, loss, shown)
        point = Point(runner.epoch, metrics["mAP"], metrics["mAP50_95"], loss)
        add_point(self._task.env.output.root_dir / CURVE_FILE, point)


def validated(folder: Path) -> int:
    """The last epoch that was validated and published, 0 = none."""
    path = folder / VALIDATED
    return int(path.read_text(encoding="utf-8")) if path.is_file() else 0


def _plain(model: Any) -> Any:
    """The model inside DistributedDataParallel."""
    return getattr(model, "module", model)
