"""Find every mistake in a task that can be found without a framework, and report all in one message.

The parent reads everything once: what is checked here is what the task then works with.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from common.contract import DEFAULT_EXPORT_FORMAT, USABLE_FORMATS, AnnotationFormat, ConfigKey, ObjectType, Verb
from common.datasets.index import Sample, duplicate_names, missing_files, read_training_index
from common.datasets.splits import Labelled, read_labelled
from common.errors import ConfigError, DatasetError, ModelError, ObjectTypeError, Problems
from common.loop.job import Job, job_of, read_candidates
from common.run.image import Executor
from common.task.env import EnvFile, Task, collect_task
from common.task.params import CandidateParameters, Parameters, TrainingParameters
from common.weights.given import choose

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Input of inference and mining.

    Attributes:
        paths: image paths in the order of the index, without duplicates.
        job: questions to answer about each image.
    """

    paths: Sequence[str]
    job: Job


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Input of a training.

    Attributes:
        labelled: `train` and `val`; their images have not been opened yet.
        max_bad_images: largest tolerated share of images that cannot be decoded, in [0, 1].
    """

    labelled: Mapping[str, Labelled]
    max_bad_images: float


class Checked(NamedTuple):
    """A task without mistakes, its hyper-parameters, and its input."""

    task: Task
    parameters: Parameters
    work: TrainingData | Candidates


def check(executor: Executor, env: EnvFile) -> Checked:
    """Read the task and all files that it names, except the content of images and weights.

    Raises:
        YmirError: all mistakes in one message.
    """
    problems = Problems()
    task = collect_task(env, problems, tuple(executor.families))
    parameters: Parameters | None = None
    if task.verbs and not problems.has(ObjectTypeError):  # otherwise the family, and so its parameters, are unknown
        parameters = problems.attempt(None, lambda: executor.family(task.object_type).parse(task))
    labelled = _training_data(task, problems) if Verb.TRAINING in task.verbs else {}
    paths = problems.attempt(None, lambda: _candidates(task)) if Verb.TRAINING not in task.verbs else None
    job = job_of(task, parameters.options()) if isinstance(parameters, CandidateParameters) else None
    problems.attempt(None, lambda: _check_models(task, needed=_needs_model(task, job)))
    problems.raise_all()
    if isinstance(parameters, TrainingParameters):
        return Checked(task, parameters, TrainingData(labelled, parameters.max_bad_images))
    if isinstance(parameters, CandidateParameters) and job is not None:
        return Checked(task, parameters, Candidates(paths or (), job))
    raise TypeError(f"{type(parameters).__name__} is neither TrainingParameters nor CandidateParameters")


def _training_data(task: Task, problems: Problems) -> Mapping[str, Labelled]:
    usable = not problems.has(ObjectTypeError) and problems.attempt(False, lambda: _check_format(task))
    if task.annotation_format is AnnotationFormat.NONE:
        return {}  # the platform leaves the indexes empty then, which is a consequence and not a second mistake
    inputs = task.env.input
    indexes = {
        "train": ("training_index_file", inputs.training_index_file),
        "val": ("val_index_file", inputs.val_index_file),
    }
    samples = {name: problems.attempt(None, partial(_samples, *index)) for name, index in indexes.items()}
    if not usable or not task.class_names:
        return {}  # without a format or class names, annotations cannot be checked
    read = {name: problems.attempt(None, partial(read_labelled, task, rows)) for name, rows in samples.items() if rows}
    return {name: labelled for name, labelled in read.items() if labelled is not None}


def _check_format(task: Task) -> bool:
    usable = USABLE_FORMATS[task.object_type]
    if task.annotation_format not in usable.values():
        value = task.config.get(ConfigKey.EXPORT_FORMAT) or DEFAULT_EXPORT_FORMAT
        what = "annotations" if task.object_type is ObjectType.DETECTION else "masks"
        raise ConfigError(f"export_format: {value!r} exports no {what} (one of {', '.join(usable)})")
    return True


def _samples(key: str, path: Path | None) -> list[Sample]:
    if path is None:
        raise DatasetError(f"input.{key}: empty in env.yaml; training needs it")
    samples = read_training_index(path)
    _refuse_missing(path, missing_files([file for sample in samples for file in (sample.image, sample.annotation)]))
    return samples


def _candidates(task: Task) -> list[str]:
    paths = read_candidates(task)
    _refuse_missing(task.env.input.candidate_index_file, missing_files(paths))
    for name, same in duplicate_names(paths).items():
        log.warning("%d candidates are called %s; infer-result.json holds the first only: %s", len(same), name, same[0])
    return paths


def _refuse_missing(index: Path | None, missing: Sequence[str | Path]) -> None:
    if missing:
        names = ", ".join(map(str, missing[:3])) + (", ..." if len(missing) > 3 else "")
        raise DatasetError(f"{index}: {len(missing)} files that it names do not exist: {names}")


def _check_models(task: Task, *, needed: bool) -> None:
    """Make sure that a given model exists, and that one is given where the task needs it."""
    key = ConfigKey.of_models(task.verbs)
    listed = task.config.get(key)
    if task.model_files:
        choose(task.model_files)
    elif listed:
        raise ModelError(f"{key}: none of {listed} exists, nor any other file in {task.env.input.models_dir}")
    elif needed:
        raise ModelError(f"{key}: missing or empty; this task needs the weights of a trained model")


def _needs_model(task: Task, job: Job | None) -> bool:
    """Return whether a model is required. With wrong parameters the needs of mining are unknown: complain once."""
    return Verb.INFER in task.verbs if job is None else job.needs_model
