"""Training of a semantic model of mmsegmentation: data set in, stages with weights and configuration out."""

from typing import TYPE_CHECKING

from common.errors import ConfigError
from common.mmlab.train import DATA_DONE, FIT_DONE, run_training, set_up, starting_point
from common.mmseg.params import SemanticTraining
from common.progress import Progress, part
from common.run.rank import Rank
from common.task.env import Task

if TYPE_CHECKING:
    from common.mmseg.data import Data

ONE_VALUE = "more than 1 value per channel"
"""torch's error for a batch of one image where a map has shrunk to one cell, as those of pyramids of pools do."""


def train(task: Task, parameters: SemanticTraining, rank: Rank, progress: Progress) -> None:
    """Train, or resume a training that was killed. See `run.image.Family`."""
    set_up(task, rank, parameters.package)
    from common.mmseg.classes import learned_classes
    from common.mmseg.data import Data

    classes = learned_classes(task.class_names, ignore_black_area=parameters.ignore_black_area)
    data = Data(task.scratch / "data")
    _convert(task, parameters, rank, data)
    progress(DATA_DONE)
    _fit(task, parameters, rank, data, classes, part(progress, DATA_DONE, FIT_DONE))


def _convert(task: Task, parameters: SemanticTraining, rank: Rank, data: "Data") -> None:
    from common.mmseg.data import write_data

    rank.first(lambda: write_data(task, data, ignore_black_area=parameters.ignore_black_area), last=data.listing("val"))


def _fit(
    task: Task, parameters: SemanticTraining, rank: Rank, data: "Data", classes: tuple[str, ...], progress: Progress
) -> None:
    from common.mmlab.fit.recipe import Run, published
    from common.mmseg.recipe import training_recipe
    from common.mmseg.reporting import IterationReporter
    from common.results.stages import BestAndLatest, Stages

    key, weights = starting_point(task, parameters)
    run = Run(task.scratch / "run", key, classes, weights is None, rank.world, bool(task.gpu_ids))
    config = training_recipe(parameters, data, run)
    count = 1 if parameters.save_least_file else parameters.max_keep_ckpts
    stages = Stages(task, task.scratch / "stages.json", BestAndLatest(count, "iter"))
    reporter = IterationReporter(task, key, published(config), run.classes, stages, weights, progress)
    try:
        run_training(config, parameters, rank, run.folder, reporter)
    except ValueError as error:
        if ONE_VALUE not in str(error):
            raise
        raise ConfigError("samples_per_gpu: 1 is too few for this model; it normalises over a batch") from error
