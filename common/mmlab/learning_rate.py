"""The learning rate of a configuration, fitted to the batch that a task really has."""

import math
import re

from mmengine.config import Config

from common.mmlab.data import mappings

NAMED_BATCH = re.compile(r"[-_](\d+)xb(\d+)[-_]|[-_](\d+)x(\d+)b[-_]")
"""GPUs and images a GPU in the name of a configuration: `8xb16`, or `8x16b`."""

GPUS = 8
"""On how many GPUs OpenMMLab trains where a configuration does not say."""


def scaled_lr(lr: float, batch: int, base_batch: int) -> float:
    """The learning rate for a batch of another size: it follows the square root of the size, and never rises.

    The noise of a gradient has a deviation that falls with the square root of the batch. The square root rule keeps
    the noise of a step, for SGD (Hoffer et al. 2017, "Train longer, generalize better", section 4) as well as for Adam
    and AdamW (Malladi et al. 2022, arXiv:2205.10287). The linear rule would leave 6 % of the rate to a batch of 8
    where OpenMMLab used 128, and a run of a few thousand iterations gets nowhere with that.

    Args:
        lr: for `base_batch`.
        batch: images in an iteration, over all GPUs.
    """
    return lr * math.sqrt(min(batch / base_batch, 1.0))


def base_batch(config: Config) -> int:
    """For how many images in an iteration, over all GPUs, the configuration has its learning rate.

    Its name knows best. `auto_scale_lr` is often inherited: it says 16 for mmdetection's RTMDet, trained with 256.
    """
    named = NAMED_BATCH.search(config.filename or "")
    if named:
        gpus, images = (int(number) for number in named.groups() if number)
        return gpus * images
    per_gpu = int(config.train_dataloader.batch_size)
    return int(config.get("auto_scale_lr", {}).get("base_batch_size", GPUS * per_gpu))


def set_learning_rate(config: Config, batch: int, world: int) -> float:
    """Scale the learning rate, and every value that is derived from it, in place.

    Args:
        batch: images a GPU in an iteration.
        world: GPUs.

    Returns:
        The new learning rate.
    """
    optimizer = config.optim_wrapper.optimizer
    own = optimizer.lr
    optimizer.lr = scaled_lr(own, batch * world, base_batch(config))
    if "batch_size_per_gpu" in optimizer:  # from it, YOLOv5's optimizers derive the weight decay
        optimizer.batch_size_per_gpu = batch
    for mapping in [*mappings(config.get("param_scheduler")), *mappings(config.default_hooks)]:
        if str(mapping.get("type")).endswith("YOLOv5ParamSchedulerHook"):
            mapping.setdefault("warmup_bias_lr", 0.1)
        for name in ("eta_min", "warmup_bias_lr"):
            if name in mapping:
                mapping[name] *= optimizer.lr / own
    config.pop("auto_scale_lr", None)  # it has been done
    return float(optimizer.lr)
