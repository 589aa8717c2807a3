"""What an inference or mining task asks: which candidates, what to find out about each, and where to keep it."""

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
    """What to find out about each candidate.

    Attributes:
        objects: what to keep of a prediction; None where nobody asked for inference.
        algorithm: mine with it, or None.
        class_names: of the task; empty = those of the model, as platforms from 2.5.0 on may ask for.
        options: what the parameters say, with the task as the seed of the mining.
    """

    objects: ObjectsOf | None
    algorithm: Algorithm | None
    class_names: Sequence[str]
    options: CandidateOptions

    @property
    def needs_model(self) -> bool:
        """Whether anything has to be predicted at all: random mining alone needs neither model nor pixels."""
        return self.objects is not None or (self.algorithm is not None and self.algorithm.needs_model)


def job_of(task: Task, options: CandidateOptions) -> Job:
    """What the loop has to find out about each candidate."""
    return Job(
        objects=OBJECTS[task.object_type] if Verb.INFER in task.verbs else None,
        algorithm=ALGORITHMS[task.object_type][options.algorithm] if Verb.MINING in task.verbs else None,
        class_names=task.class_names,
        options=replace(options, mining=replace(options.mining, task_id=task.id)),
    )


def read_candidates(task: Task) -> list[str]:
    """The candidates in index order, each once.

    Raises:
        DatasetError: env.yaml names no index, or it is missing or empty.
    """
    index = task.env.input.candidate_index_file
    if index is None:
        raise DatasetError("input.candidate_index_file: empty in env.yaml; inference and mining need it")
    return list(dict.fromkeys(read_candidate_index(index)))


def shards_of(task: Task, count: int) -> Shards:
    """Where the results of this task's chunks lie."""
    return Shards(task.scratch / "shards", count, CHUNK_TYPES[task.object_type])
