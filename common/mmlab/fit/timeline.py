"""Moments of the run that a configuration was written for, and where they lie in the run of a task."""

import math
from dataclasses import dataclass

from mmengine.config import Config

WARM_UP_SHARE = 0.1
"""What a warm-up may take of a run. A thousand iterations are little of COCO, and all that a small data set has."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """How long both runs are.

    Attributes:
        own: length of the configuration's own run, in epochs, or in iterations if it counts those.
        epochs: of the task's run.
        epoch_iters: iterations of one of these epochs.
    """

    own: int
    epochs: int
    epoch_iters: int

    @classmethod
    def of(cls, config: Config, *, epochs: int, images: int, batch: int, world: int) -> "Timeline":
        """For a training with `images` images and `batch` of them on each of `world` GPUs.

        The ranks share the images evenly, and an epoch's last batch may be smaller than the others.
        """
        own = config.train_cfg.get("max_epochs") or config.train_cfg.max_iters
        return cls(own, epochs, math.ceil(math.ceil(images / world) / batch))

    @classmethod
    def of_iterations(cls, config: Config, iters: int) -> "Timeline":
        """For a training that is counted in iterations, as the configuration's own is. It is a single epoch."""
        return cls(config.train_cfg.max_iters, 1, iters)

    @property
    def iters(self) -> int:
        """Iterations of the whole run."""
        return self.epochs * self.epoch_iters

    def iteration(self, moment: int) -> int:
        """Where a moment of the configuration's own run lies."""
        return moment * self.iters // self.own

    def epoch(self, moment: int) -> int:
        """The same in epochs."""
        return round(moment * self.epochs / self.own)

    def warm_up(self, own_iters: float) -> int:
        """Iterations of a warm-up: its own, but not more than its share of the run."""
        return int(min(own_iters, WARM_UP_SHARE * self.iters))
