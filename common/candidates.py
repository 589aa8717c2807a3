"""What to find out about the candidates of an inference or mining task, and the merge of what was found."""

import logging
import os
from collections.abc import Iterator, Sequence

from common.contract import Verb
from common.env import Task
from common.inference import Job, check_bad_images
from common.mining.algorithm import MiningSettings
from common.mining.registry import ALGORITHMS
from common.params import CandidateOptions
from common.pool import shards_of
from common.results.detection import write_infer_result
from common.results.mining import write_mining_result
from common.shards import Annotation, Record, Shards

log = logging.getLogger(__name__)


def job_of(task: Task, options: CandidateOptions) -> Job:
    """What the loop has to find out about each candidate."""
    return Job(
        infer=Verb.INFER in task.verbs,
        algorithm=ALGORITHMS[options.algorithm] if Verb.MINING in task.verbs else None,
        mining=MiningSettings(task.id, options.class_weights),
        class_names=task.class_names,
        batch_size=options.batch_size,
        workers=options.workers,
        max_bad_images=options.max_bad_images,
    )


def merge(task: Task, candidates: Sequence[str], job: Job) -> None:
    """Write what the platform reads, from the finished chunks of all ranks.

    Raises:
        ImageError: too many undecodable images.
        FileNotFoundError: a chunk is missing.
    """
    shards = shards_of(task, len(candidates))
    bad = [record.bad for record in shards.records() if record.bad]
    check_bad_images(bad, job.max_bad_images, len(candidates))
    if bad:
        log.warning("%d of %d images could not be used; their results are empty", len(bad), len(candidates))
    output = task.env.output
    if Verb.INFER in task.verbs:
        write_infer_result(output.infer_result_file, _objects(candidates, shards), legacy=task.legacy)
    if Verb.MINING in task.verbs:
        write_mining_result(output.mining_result_file, _scores(candidates, shards), task.id)


def _objects(candidates: Sequence[str], shards: Shards) -> Iterator[tuple[str, tuple[Annotation, ...]]]:
    """Objects by base name, the platform's key; of two candidates with the same one, the first counts."""
    seen: set[str] = set()
    for name, record in zip(map(os.path.basename, candidates), shards.records(), strict=True):
        if name not in seen:
            seen.add(name)
            yield name, record.objects


def _scores(candidates: Sequence[str], shards: Shards) -> Iterator[tuple[str, float]]:
    """Scores by path; an image that could not be used comes after all others."""
    least = min((record.score for record in shards.records() if not record.bad), default=0.0)
    worst = least - max(1.0, abs(least))  # a step that is still seen when a score is rounded to few digits
    for path, record in zip(candidates, shards.records(), strict=True):
        yield path, _score(record, worst)


def _score(record: Record, worst: float) -> float:
    return worst if record.bad else record.score
