"""Job of an inference or mining task: its candidates, the questions about each, and the place of the answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.contract import Verb
from common.datasets.index import read_candidate_index
from common.errors import DatasetError
from common.loop.shards import Shards
from common.mining.algorithm import Algorithm
from common.mining.registry import ALGORITHMS
from common.results.objects import OBJECTS, ObjectsOf
from common.results.records import CHUNK_TYPES
from common.task.env import Task
from common.task.params import CandidateOptions


@dataclass(frozen=True, slots=True)
class Job:
    """Questions to answer about each candidate.

    Attributes:
        objects: turns a prediction into objects; None unless the task infers.
        algorithm: mining algorithm; None unless the task mines.
        class_names: names of the task; empty = names of the model, as platforms from 2.5.0 on may ask for.
        options: options of the parameters, with the task as the seed of the mining.
    """

    objects: ObjectsOf | None
    algorithm: Algorithm | None
    class_names: Sequence[str]
    options: CandidateOptions

    @property
    def needs_model(self) -> bool:
        """True unless the job is random mining alone, which needs neither a model nor pixels."""
        return self.objects is not None or (self.algorithm is not None and self.algorithm.needs_model)


def job_of(task: Task, options: CandidateOptions) -> Job:
    """Make the job of a task."""
    return Job(
        objects=OBJECTS[task.object_type] if Verb.INFER in task.verbs else None,
        algorithm=ALGORITHMS[task.object_type][options.algorithm] if Verb.MINING in task.verbs else None,
        class_names=task.class_names,
        options=replace(options, mining=replace(options.mining, task_id=task.id)),
    )


def read_candidates(task: Task) -> list[str]:
    """List the candidates in the order of the index, without duplicates.

    Raises:
        DatasetError: env.yaml names no index, or the index is missing or empty.
    """
    index = task.env.input.candidate_index_file
    if index is None:
        raise DatasetError("input.candidate_index_file: empty in env.yaml; inference and mining need it")
    return list(dict.fromkeys(read_candidate_index(index)))


def shards_of(task: Task, count: int) -> Shards:
    """Locate the shards of a task with `count` candidates."""
    return Shards(task.scratch / "shards", count, CHUNK_TYPES[task.object_type])
