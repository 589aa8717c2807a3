"""Training of a semantic model of mmsegmentation: data set in, stages with weights and configuration out."""

from pathlib import Path

from common.errors import ConfigError
from common.mmlab.train import DATA_DONE, FIT_DONE, run_training, set_up, starting_point
from common.mmseg.params import SemanticTraining
from common.progress import Progress, part
from common.run.rank import Rank
from common.task.env import Task

LONELY = "more than 1 value per channel"
"""What torch says of a batch of one image where a map has shrunk to one cell, as those of pyramids of pools do."""


def train(task: Task, parameters: SemanticTraining, rank: Rank, progress: Progress) -> None:
    """Train, or go on training after a kill. See `run.image.Family`."""
    set_up(task, rank, parameters.package)
    from common.mmseg.classes import learned_classes
    from common.mmseg.data import listing, write_data

    classes = learned_classes(task.class_names, ignore_black_area=parameters.ignore_black_area)
    data = task.scratch / "data"
    rank.first(lambda: write_data(task, data, ignore_black_area=parameters.ignore_black_area), listing(data, "val"))
    progress(DATA_DONE)
    _fit(task, parameters, rank, data, classes, part(progress, DATA_DONE, FIT_DONE))


def _fit(
    task: Task, parameters: SemanticTraining, rank: Rank, data: Path, classes: tuple[str, ...], progress: Progress
) -> None:
    from common.mmlab.fit.recipe import published
    from common.mmseg.recipe import training_recipe
    from common.mmseg.reporting import IterationReporter
    from common.results.stages import BestAndLatest, Stages

    run = task.scratch / "run"
    key, weights = starting_point(task, parameters)
    config = training_recipe(
        parameters, key, data, classes, run, scratch=weights is None, world=rank.world, gpu=bool(task.gpu_ids)
    )
    count = 1 if parameters.save_least_file else parameters.max_keep_ckpts
    stages = Stages(task, task.scratch / "stages.json", BestAndLatest(count, "iter"))
    reporter = IterationReporter(task, key, published(config), classes, stages, weights, progress)
    try:
        run_training(config, parameters, rank, run, reporter)
    except ValueError as error:
        if LONELY not in str(error):
            raise
        raise ConfigError("samples_per_gpu: 1 is too few for this model; it normalises over a batch") from error
