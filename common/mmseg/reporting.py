"""Reports on a running training that is counted in iterations, and saves its checkpoints."""

from collections.abc import Mapping

from mmengine.config import Config
from mmengine.runner import Runner
from torch import Tensor

from common.mmlab.reporting import CHECK_LOSS_EVERY, VALIDATION_SHARE, Reporter
from common.mmseg.classes import set_classes

DRAW_EVERY = 50
"""Iterations between two logged losses, as in mmsegmentation."""


class IterationReporter(Reporter):
    """Saves, validates and publishes after every `val_interval` iterations and the last one."""

    unit = "iteration"

    @staticmethod
    def set_classes(config: Config, count: int) -> None:
        """See `Reporter`."""
        set_classes(config, count)

    def done(self, runner: Runner) -> int:
        """See `Reporter`."""
        return int(runner.iter)

    def whole(self, runner: Runner) -> int:
        """See `Reporter`."""
        return int(runner.max_iters)

    def iterations(self, runner: Runner) -> int:
        """Iterations since the previous validation."""
        return (self.done(runner) - 1) % int(runner.val_interval) + 1

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object, outputs: Mapping[str, Tensor]
    ) -> None:
        """Check the loss, report progress, and save before a validation. This iteration is not counted yet."""
        done = batch_idx + 1
        due = self.due(runner, done)
        if batch_idx % CHECK_LOSS_EVERY == 0 or due:
            self.check_loss(runner, outputs["loss"])
        if done % DRAW_EVERY == 0 and not due and runner.rank == 0:
            self.draw(runner, done, DRAW_EVERY)
        since = batch_idx % int(runner.val_interval) + 1
        self.report_progress(runner, done - VALIDATION_SHARE * since)
        if due:
            self.save(runner, by_epoch=False)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: object, outputs: object) -> None:
        """Report progress; the iteration is counted already."""
        left = VALIDATION_SHARE * (1 - (batch_idx + 1) / len(runner.val_dataloader))
        self.report_progress(runner, runner.iter - left * self.iterations(runner))
