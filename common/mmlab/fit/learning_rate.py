"""Fits the learning rate of a configuration to the batch size of a task."""

import math
import re

from mmengine.config import Config

from common.mmlab.fit.config import has_rotated_boxes
from common.mmlab.fit.nested import mappings
from common.mmlab.fit.timeline import Timeline

NAMED_BATCH = re.compile(r"[-_](\d+)xb(\d+)[-_]|[-_](\d+)x(\d+)b[-_]")
"""GPUs, and images per GPU, in the name of a configuration: `8xb16`, or `8x16b`."""

GPUS, ROTATED_GPUS = 8, 1
"""Number of GPUs that OpenMMLab trains on where a configuration does not say: one for mmrotate."""

COCO_IMAGES, DOTA_IMAGES = 118_287, 12_800
"""Images of COCO, and of mmrotate's DOTA 1.0: the tiles (1024 pixels, sharing 200) that have objects.

A few of its configurations are for smaller sets, but most have the learning rates of DOTA.
"""


def scaled_lr(lr: float, batch: int, base_batch: int, own_iters: float, iters: int) -> float:
    """The learning rate for a batch of another size and a run of another length. It never rises.

    A smaller batch lowers it by the square root of the sizes: that keeps the noise of a step, for SGD (Hoffer et al.
    2017, "Train longer, generalize better", section 4) as well as for Adam and AdamW (Malladi et al. 2022,
    arXiv:2205.10287). A shorter run wins that back, by the fourth root of the lengths: where there are a thousand steps
    instead of half a million, the noise of a step matters less than that the steps get somewhere. That root is not
    the result of a paper; it is what `benchmarks/training.md` was measured with.

    Args:
        lr: for `base_batch` and `own_iters`.
        batch: images in an iteration, over all GPUs.
        own_iters: length of the run that `lr` was chosen for.
        iters: length of this run.
    """
    return lr * min(math.sqrt(batch / base_batch) * math.pow(max(own_iters / iters, 1.0), 0.25), 1.0)


def base_batch(config: Config) -> int:
    """Batch size, over all GPUs, that the learning rate of a configuration is for.

    The name of the configuration takes precedence, because `auto_scale_lr` is often inherited: it says 16 for
    mmdetection's RTMDet, trained with 256.
    """
    named = NAMED_BATCH.search(config.filename or "")
    if named:
        gpus, images = (int(number) for number in named.groups() if number)
        return gpus * images
    per_gpu = int(config.train_dataloader.batch_size)
    gpus = ROTATED_GPUS if has_rotated_boxes(config) else GPUS
    return int(config.get("auto_scale_lr", {}).get("base_batch_size", gpus * per_gpu))


def own_iters(config: Config, timeline: Timeline) -> float:
    """Iterations of the configuration's own run."""
    images = DOTA_IMAGES if has_rotated_boxes(config) else COCO_IMAGES
    return timeline.own if "max_iters" in config.train_cfg else timeline.own * images / base_batch(config)


def set_learning_rate(config: Config, timeline: Timeline, batch: int, world: int) -> float:
    """Scale the learning rate, and every value that is derived from it, in place.

    Args:
        config: still with its own `train_cfg`.
        timeline: length of the run.
        batch: images per GPU in an iteration.
        world: GPUs.

    Returns:
        The new learning rate.
    """
    optimizer = config.optim_wrapper.optimizer
    own = optimizer.lr
    optimizer.lr = scaled_lr(own, batch * world, base_batch(config), own_iters(config, timeline), timeline.iters)
    if "batch_size_per_gpu" in optimizer:  # from it, YOLOv5's optimizers derive the weight decay
        optimizer.batch_size_per_gpu = batch
    for mapping in [*mappings(config.get("param_scheduler")), *mappings(config.default_hooks)]:
        if str(mapping.get("type")).endswith("YOLOv5ParamSchedulerHook"):
            mapping.setdefault("warmup_bias_lr", 0.1)
        for name in ("eta_min", "warmup_bias_lr"):
            if name in mapping:
                mapping[name] *= optimizer.lr / own
    config.pop("auto_scale_lr", None)  # the rate is scaled already
    return float(optimizer.lr)
