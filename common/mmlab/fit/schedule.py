"""Fits a configuration to the length of a training and to the size of a batch."""

from dataclasses import dataclass

from mmengine.config import Config

from common.mmlab.fit.learning_rate import set_learning_rate
from common.mmlab.fit.mosaic import close_mosaic
from common.mmlab.fit.nested import mappings
from common.mmlab.fit.param_schedulers import fit_param_schedulers
from common.mmlab.fit.timeline import Timeline

EMA_SHARE = 0.04
"""Share of a run that the average of the weights looks back over. OpenMMLab's own runs on COCO have 2 to 6 %."""

EMA_RAMP_SHARE = 0.01
"""Share of a run in which that window grows to its full length. On COCO it is 0.4 to 1.5 %."""

EMA_RAMP = 2000
"""Iterations of that growth in mmdet and mmyolo where a configuration does not say."""

MOST_MOMENTUM = 0.5
"""Largest momentum with which an average is still an average."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Course of a training, for its log.

    Attributes:
        epochs: of the training.
        epoch_iters: iterations of an epoch.
        learning_rate: after the warm-up.
        warm_up: iterations.
        close_epoch: the first epoch without mosaic, counted from 0; None where every epoch has mosaics or none has.
        ema_momentum: share of the newest weights in the average of the weights; None without an average.
    """

    epochs: int
    epoch_iters: int
    learning_rate: float
    warm_up: int
    close_epoch: int | None
    ema_momentum: float | None

    def __str__(self) -> str:
        text = f"{self.epochs} epochs of {self.epoch_iters} iterations, learning rate {self.learning_rate:.3g}"
        text += f" after {self.warm_up} iterations"
        if self.ema_momentum is not None:
            text += f", weights averaged over {1 / self.ema_momentum:.0f}"
        if self.close_epoch is not None:
            last = self.epochs - self.close_epoch
            text += f", no mosaic in the last {f'{last} epochs' if last > 1 else 'epoch'}"
        return text


def fit_schedule(config: Config, *, epochs: int, images: int, batch: int, world: int) -> Schedule:
    """Fit a configuration to the length of a training and to its batch, in place.

    Args:
        config: as `load_config` gave it; a second call would scale what is scaled already.
        epochs: of the training.
        images: of the training set.
        batch: images per GPU in an iteration.
        world: GPUs.
    """
    timeline = Timeline.of(config, epochs=epochs, images=images, batch=batch, world=world)
    rate = set_learning_rate(config, timeline, batch, world)
    warm_up = fit_param_schedulers(config, timeline)
    close_epoch = close_mosaic(config, timeline)
    momentum = _fit_average(config, timeline.iters)
    for mapping in mappings(config.model):
        if "initial_epoch" in mapping:  # up to it, YOLOv6, PPYOLOE and TOOD assign objects in a simpler way
            mapping["initial_epoch"] = timeline.epoch(mapping["initial_epoch"])
    _count_epochs(config, epochs)
    return Schedule(epochs, timeline.epoch_iters, rate, warm_up, close_epoch, momentum)


def _fit_average(config: Config, iters: int) -> float | None:
    """Keep the average of the weights from looking back over more than its share of the run."""
    momentum = None
    for hook in config.get("custom_hooks") or []:
        if hook.type.endswith("EMAHook"):
            momentum = min(max(hook.momentum, 1 / (EMA_SHARE * iters)), MOST_MOMENTUM)
            hook.update(
                momentum=momentum, gamma=max(min(hook.get("gamma", EMA_RAMP), round(EMA_RAMP_SHARE * iters)), 1)
            )
    return momentum


def _count_epochs(config: Config, epochs: int) -> None:
    """Train epoch by epoch, also where a configuration counts iterations of an endless stream of images."""
    config.train_cfg = {"type": "EpochBasedTrainLoop", "max_epochs": epochs, "val_interval": 1}
    config.train_dataloader.sampler = {"type": "DefaultSampler", "shuffle": True}
    config.log_processor.by_epoch = True
