"""The configuration of one training: mmsegmentation's own, fitted to the task."""

import logging
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from common.mmlab.fit.clock import Clock
from common.mmlab.fit.config import load_config, merge_options, plain_batch_norm
from common.mmlab.fit.decay import fit_decay
from common.mmlab.fit.learning_rate import set_learning_rate
from common.mmlab.fit.recipe import set_metric, set_runtime, unfreeze
from common.mmlab.options.command_line import parse_args_options, parse_cfg_options
from common.mmlab.options.keys import ITERATIONS
from common.mmseg.classes import set_classes
from common.mmseg.crop import set_crop_size
from common.mmseg.data import set_data
from common.mmseg.metric import PixelMetric
from common.mmseg.padding import check_crop, set_padding
from common.mmseg.params import SemanticTraining

log = logging.getLogger(__name__)


def training_recipe(
    parameters: SemanticTraining,
    key: str,
    data: Path,
    classes: Sequence[str],
    run: Path,
    *,
    scratch: bool,
    world: int,
    gpu: bool,
) -> Config:
    """Fit the configuration `key` to a task. `cfg_options` comes last and wins over everything.

    Args:
        key: of `configs.config_files`.
        data: folder of the converted data set.
        classes: all that the model learns, the background too.
        run: folder of the runner.
        scratch: whether there are no weights to start from.
        world: number of ranks.
        gpu: whether they compute on GPUs.

    Raises:
        ConfigError: `cfg_options` do not fit it, or `img_size` is too small for the model.
    """
    arguments = parse_args_options(parameters.args_options, ITERATIONS)
    config = load_config(parameters.package, key)
    set_classes(config, len(classes))
    set_crop_size(config, parameters.img_size)
    check_crop(config)
    set_padding(config)
    warm_up = fit_schedule(config, parameters.max_iters, parameters.samples_per_gpu, world)
    set_data(config, data, classes, parameters.samples_per_gpu, parameters.workers_per_gpu)
    if world == 1 or not gpu:
        plain_batch_norm(config)
    if scratch:
        unfreeze(config)
    set_metric(config, {"type": PixelMetric.__name__}, min(parameters.interval, parameters.max_iters))
    set_runtime(config, run, world=world, gpu=gpu, amp=parameters.amp or arguments.amp)
    config.randomness = {"seed": arguments.seed or 0, "deterministic": arguments.deterministic}
    merge_options(config, arguments.cfg_options | parse_cfg_options(parameters.cfg_options, ITERATIONS))
    rate = config.optim_wrapper.optimizer.lr
    log.info("%s: %d iterations, learning rate %.3g after %d", Path(key).stem, parameters.max_iters, rate, warm_up)
    return config


def fit_schedule(config: Config, iters: int, batch: int, world: int) -> int:
    """Fit a configuration to the length of a training and to its batch, in place.

    Args:
        config: as `load_config` gave it; a second call would scale what is scaled already.
        iters: of the training.
        batch: images a GPU in an iteration.
        world: GPUs.

    Returns:
        Iterations of the warm-up.
    """
    clock = Clock.of_iterations(config, iters)
    set_learning_rate(config, clock, batch, world)
    warm_up = fit_decay(config, clock)
    config.train_cfg = {"type": "IterBasedTrainLoop", "max_iters": iters}
    return warm_up
