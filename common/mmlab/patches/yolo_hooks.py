"""Hooks of mmyolo with corrections. Importing this needs mmyolo; `compat.prepare` does it."""

from collections.abc import Sequence

from mmdet.engine.hooks import PipelineSwitchHook
from mmengine.config import ConfigDict
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmyolo.engine.hooks import YOLOv5ParamSchedulerHook
from mmyolo.registry import HOOKS

BIASES = 2
"""Index of the parameter group whose learning rate falls during the warm-up."""


@HOOKS.register_module()
class YOLOv5ParamSchedulerByIterHook(YOLOv5ParamSchedulerHook):  # type: ignore[misc]
    """The schedule of YOLOv5 with a learning rate that changes in every iteration.

    mmyolo's own changes it after an epoch, and takes the factor of the epoch that is over: of two epochs both have the
    full learning rate, and the last of ten a fifth of it instead of a tenth. Arguments are the same.
    """

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object) -> None:
        """Set learning rate and momentum of this iteration, which depend on its number alone."""
        epoch_iters = len(runner.train_dataloader)
        warm_up = max(round(self.warmup_epochs * epoch_iters), self.warmup_mim_iter, 1)
        done = min(runner.iter / warm_up, 1.0)
        factor = self.scheduler_fn(runner.iter / epoch_iters)
        for number, group in enumerate(runner.optim_wrapper.optimizer.param_groups):
            start = self.warmup_bias_lr if number == BIASES else 0.0
            group["lr"] = start + done * (self._base_lr[number] * factor - start)
            if "momentum" in group:
                momentum = self._base_momentum[number]
                group["momentum"] = self.warmup_momentum + done * (momentum - self.warmup_momentum)

    def after_train_epoch(self, runner: Runner) -> None:
        """Do nothing: the rate was set before each iteration."""


@HOOKS.register_module()
class YOLOXModeSwitchOnResumeHook(Hook):  # type: ignore[misc]
    """Trains YOLOX's last epochs without mosaic and with the additional L1 loss, also after a restart in one of them.

    mmyolo's own hook waits for the one epoch with the right number. It also closes one epoch earlier than it says.

    Args:
        num_last_epochs: how many there are.
        new_train_pipeline: of these epochs.
    """

    def __init__(self, num_last_epochs: int, new_train_pipeline: Sequence[ConfigDict]) -> None:
        self.num_last_epochs = num_last_epochs
        self.new_train_pipeline = new_train_pipeline

    def before_train(self, runner: Runner) -> None:
        """Find the epoch to close the mosaic in, now that the length of the run is known."""
        self.close_epoch = runner.max_epochs - self.num_last_epochs
        self._switch = PipelineSwitchHook(self.close_epoch, self.new_train_pipeline)

    def before_train_epoch(self, runner: Runner) -> None:
        """Close the mosaic in its epoch, or in a later one after a restart."""
        self._switch.before_train_epoch(runner)
        if runner.epoch >= self.close_epoch:
            model = runner.model.module if is_model_wrapper(runner.model) else runner.model
            model.bbox_head.use_bbox_aux = True
