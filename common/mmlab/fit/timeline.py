"""Maps moments of the run that a configuration was written for onto the run of a task."""

import math
from dataclasses import dataclass

from mmengine.config import Config

WARM_UP_SHARE = 0.1
"""Largest share of a warm-up in a run. A thousand iterations are few for COCO, but all of a run on a small data set."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lengths of both runs.

    Attributes:
        own: length of the configuration's own run, in epochs, or in iterations if it counts those.
        epochs: length of the task's run.
        epoch_iters: iterations per epoch of the task's run.
    """

    own: int
    epochs: int
    epoch_iters: int

    @classmethod
    def of(cls, config: Config, *, epochs: int, images: int, batch: int, world: int) -> "Timeline":
        """Timeline of a training with `images` images and a batch of `batch` on each of `world` GPUs.

        The ranks share the images evenly, and an epoch's last batch may be smaller than the others.
        """
        own = config.train_cfg.get("max_epochs") or config.train_cfg.max_iters
        return cls(own, epochs, math.ceil(math.ceil(images / world) / batch))

    @classmethod
    def of_iterations(cls, config: Config, iters: int) -> "Timeline":
        """Timeline of a training that is counted in iterations, as the configuration's own is. It is a single epoch."""
        return cls(config.train_cfg.max_iters, 1, iters)

    @property
    def iters(self) -> int:
        """Iterations of the whole run."""
        return self.epochs * self.epoch_iters

    def iteration(self, moment: int) -> int:
        """Iteration of the task's run at a moment of the configuration's own."""
        return moment * self.iters // self.own

    def epoch(self, moment: int) -> int:
        """Epoch of the task's run at a moment of the configuration's own."""
        return round(moment * self.epochs / self.own)

    def warm_up(self, own_iters: float) -> int:
        """Iterations of a warm-up: its own, but not more than its share of the run."""
        return int(min(own_iters, WARM_UP_SHARE * self.iters))
