"""Fits a configuration to the length of a training and to the size of a batch."""

from dataclasses import dataclass

from mmengine.config import Config

from common.mmlab.fit.learning_rate import set_learning_rate
from common.mmlab.fit.param_schedulers import fit_param_schedulers
from common.mmlab.fit.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Schedule:
    """The course of a training, for its log.

    Attributes:
        iters: iterations of the training.
        learning_rate: after the warm-up.
        warm_up: iterations.
    """

    iters: int
    learning_rate: float
    warm_up: int

    def __str__(self) -> str:
        return f"{self.iters} iterations, learning rate {self.learning_rate:.3g} after {self.warm_up}"


def fit_schedule(config: Config, *, iters: int, batch: int, world: int) -> Schedule:
    """Fit a configuration to the length of a training and to its batch, in place.

    Args:
        config: as `load_config` gave it; a second call would scale what is scaled already.
        iters: of the training.
        batch: images per GPU in an iteration.
        world: GPUs.
    """
    timeline = Timeline.of_iterations(config, iters)
    rate = set_learning_rate(config, timeline, batch, world)
    warm_up = fit_param_schedulers(config, timeline)
    config.train_cfg = {"type": "IterBasedTrainLoop", "max_iters": iters}
    return Schedule(iters, rate, warm_up)
