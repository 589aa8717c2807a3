"""Training of an OpenMMLab detector: data set in, stages with weights and configuration out."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from common.contract import AngleUnit
from common.errors import ConfigError
from common.files import write_text
from common.mmlab.options.catalogue import config_files
from common.mmlab.options.params import AnyTraining, MmlabTraining
from common.mmlab.options.rotated import RotatedTraining
from common.progress import Progress, part
from common.run.rank import Rank
from common.task.env import Task
from common.weights.given import choose, log_from_scratch

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import Runner

    from common.mmlab.fit.data import Data
    from common.mmlab.model.checkpoint import Weights
    from common.mmlab.reporting import Reporter

log = logging.getLogger(__name__)

DATA_DONE, FIT_DONE = 0.01, 1.0
"""Progress after the conversion of the data and after the last epoch."""


def train(task: Task, parameters: MmlabTraining, rank: Rank, progress: Progress) -> None:
    """Train, or resume a training that was killed. See `run.image.Family`."""
    set_up(task, rank, parameters.package)
    from common.mmlab.fit.data import Data

    data = Data(task.scratch / "data")
    _convert(task, parameters, rank, data)
    progress(DATA_DONE)
    _fit(task, parameters, rank, data, part(progress, DATA_DONE, FIT_DONE))


def set_up(task: Task, rank: Rank, package: str) -> None:
    """Select this rank's device, and import a framework."""
    if not task.gpu_ids:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # mmengine uses any GPU that it sees
    from common.mmlab.patches.compat import prepare
    from common.run.device import device_of

    device_of(task, rank)
    prepare(package)


def _convert(task: Task, parameters: MmlabTraining, rank: Rank, data: "Data") -> None:
    from common.mmlab.fit.data import write_data

    unit = AngleUnit(parameters.angle_unit) if isinstance(parameters, RotatedTraining) else None
    rank.first(lambda: write_data(task, data, unit), data.document("val"))


def _fit(task: Task, parameters: MmlabTraining, rank: Rank, data: "Data", progress: Progress) -> None:
    from common.mmlab.fit.recipe import Run, published, training_recipe
    from common.mmlab.reporting import EpochReporter
    from common.results.stages import BestAndLatest, Stages

    key, weights = starting_point(task, parameters)
    run = Run(task.scratch / "run", key, task.class_names, weights is None, rank.world, bool(task.gpu_ids))
    config = training_recipe(parameters, data, run)
    stages = Stages(task, task.scratch / "stages.json", BestAndLatest(parameters.max_keep_checkpoints))
    reporter = EpochReporter(task, key, published(config), run.classes, stages, weights, progress)
    run_training(config, parameters, rank, run.folder, reporter)


def run_training(config: "Config", parameters: AnyTraining, rank: Rank, folder: Path, reporter: "Reporter") -> None:
    """Train from the start, or resume from the last checkpoint.

    Args:
        config: the recipe.
        folder: of the runner.
        reporter: called by the runner.
    """
    from common.mmlab.reporting import CONFIG, LAST
    from common.run.device import leave_group

    if rank.number == 0:
        write_text(folder / CONFIG, reporter.config.pretty_text)
    if (folder / LAST).is_file():
        config.update(load_from=str(folder / LAST), resume=True)
    runner = _build(config, parameters)
    runner.register_hook(reporter)
    try:
        runner.train()
    finally:
        reporter.close()
    leave_group()


def _build(config: "Config", parameters: AnyTraining) -> "Runner":
    """Build the runner with its model.

    Raises:
        ConfigError: it cannot be built, and `cfg_options` or `args_options` changed the configuration.
    """
    import torch.distributed
    from mmengine.runner import Runner

    from common.mmlab.patches.compat import quiet

    if config.launcher == "pytorch" and config.env_cfg.dist_cfg.backend == "gloo":
        torch.distributed.init_process_group("gloo")  # mmengine would look for a GPU
    try:
        with quiet():
            return Runner.from_cfg(config)
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        if not (parameters.cfg_options.text or parameters.args_options.text):
            raise
        reason = str(error.args[0] if error.args else error).split(". ")[0]
        raise ConfigError(f"cfg_options: with them the configuration cannot be built: {reason}") from error


def starting_point(task: Task, parameters: AnyTraining) -> tuple[str, "Weights | None"]:
    """Find the configuration to train, and the weights to start from.

    Weights that an image of this framework wrote name their model. All others are fitted to the requested model.
    """
    from common.mmlab.model.checkpoint import read_weights

    key = parameters.config_key
    if task.model_files:
        weights = read_weights(choose(task.model_files), task.model_files)
        if weights.model in config_files(parameters.package):
            key = weights.model
        log.info("fine-tuning %s; the model is %s", weights.path, Path(key).stem)
        return key, weights
    packaged = parameters.zoo.find(key)
    if packaged is None:
        log_from_scratch(Path(key).stem)
    return key, read_weights(packaged) if packaged else None
