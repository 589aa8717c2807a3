"""Makes the configuration of one training: mmsegmentation's own, fitted to the task."""

import logging
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config

from common.mmlab.fit.config import load_config
from common.mmlab.fit.recipe import Run, finish, set_metric
from common.mmseg.classes import set_classes
from common.mmseg.crop import set_crop_size
from common.mmseg.data import Data, set_data
from common.mmseg.metric import PixelMetric
from common.mmseg.padding import check_crop, set_padding
from common.mmseg.params import SemanticTraining
from common.mmseg.schedule import fit_schedule

log = logging.getLogger(__name__)


def training_recipe(parameters: SemanticTraining, data: Data, run: Run) -> Config:
    """Fit the configuration of a semantic model to a task. `cfg_options` comes last and overrides everything.

    Args:
        parameters: of the task.
        data: the converted data set.
        run: what to train, and on what.

    Raises:
        ConfigError: `cfg_options` does not fit it, or `img_size` is too small for the model.
    """
    config = load_config(parameters.package, run.key)
    set_classes(config, len(run.classes))
    set_crop_size(config, parameters.img_size)
    check_crop(config)
    set_padding(config)
    iters, batch, workers = parameters.max_iters, parameters.samples_per_gpu, parameters.workers_per_gpu
    schedule = fit_schedule(config, iters=iters, batch=batch, world=run.world)
    set_data(config, data, run.classes, batch, workers)
    set_metric(config, {"type": PixelMetric.__name__}, min(parameters.interval, iters))
    finish(config, parameters, run)
    log.info("%s: %s", Path(run.key).stem, replace(schedule, learning_rate=config.optim_wrapper.optimizer.lr))
    return config
