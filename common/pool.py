"""The pool of candidates of an inference or mining task: its index, and where the results of its chunks lie."""

from common.datasets.index import read_candidate_index
from common.env import Task
from common.errors import DatasetError
from common.records import CHUNK_TYPES
from common.shards import Shards


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
