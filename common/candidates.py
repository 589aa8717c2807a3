"""What to find out about the candidates of an inference or mining task, and the merge of what was found."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from common.contract import REGIONS_FOLDER, ObjectType, Verb
from common.env import Task
from common.inference import Job, check_bad_images
from common.mining.algorithm import Judge
from common.mining.registry import ALGORITHMS
from common.params import CandidateOptions
from common.pool import shards_of
from common.progress import Progress
from common.records import Record
from common.results.detection import write_infer_result
from common.results.mining import write_mining_result
from common.results.objects import OBJECTS
from common.results.regions import write_regions
from common.results.segmentation import write_segmentation_result
from common.shards import Shards

log = logging.getLogger(__name__)


def job_of(task: Task, options: CandidateOptions) -> Job:
    """What the loop has to find out about each candidate."""
    return Job(
        objects=OBJECTS[task.object_type] if Verb.INFER in task.verbs else None,
        algorithm=ALGORITHMS[task.object_type][options.algorithm] if Verb.MINING in task.verbs else None,
        mining=replace(options.mining, task_id=task.id),
        class_names=task.class_names,
        batch_size=options.batch_size,
        workers=options.workers,
        max_bad_images=options.max_bad_images,
    )


def merge(task: Task, candidates: Sequence[str], job: Job, progress: Progress) -> None:
    """Write what the platform reads, from the finished chunks of all ranks.

    Args:
        progress: called with the share of the regions that are written, where there are any to label.

    Raises:
        ImageError: too many undecodable images.
        FileNotFoundError: a chunk is missing.
    """
    shards = shards_of(task, len(candidates))
    bad = [record.bad for record in shards.records() if record.bad]
    check_bad_images(bad, job.max_bad_images, len(candidates))
    if bad:
        log.warning("%d of %d images could not be used; their results are empty", len(bad), len(candidates))
    if job.objects is not None:
        _write_objects(task, zip(map(os.path.basename, candidates), shards.records(), strict=True))
    if job.algorithm is None:
        return
    judge = _judge(job, shards)
    scores = _scores(candidates, shards, judge)
    ranking = write_mining_result(task.env.output.mining_result_file, scores, task.id)
    if judge is not None:
        summaries = {
            path: record.regions for path, record in zip(candidates, shards.records(), strict=True) if not record.bad
        }
        kept = {path: summaries[path] for path in ranking[: job.mining.kept_images] if path in summaries}
        write_regions(task.env.output.root_dir / REGIONS_FOLDER, kept, judge, progress)


def _write_objects(task: Task, records: Iterable[tuple[str, Record[Any]]]) -> None:
    """Objects by base name, the platform's key; of two candidates with the same one, the first counts."""
    first = _unique(records)
    path = task.env.output.infer_result_file
    if task.object_type is ObjectType.DETECTION:
        write_infer_result(path, ((name, record.objects) for name, record in first), legacy=task.legacy)
    else:
        write_segmentation_result(path, first, task.class_names)


def _unique(records: Iterable[tuple[str, Record[Any]]]) -> Iterator[tuple[str, Record[Any]]]:
    seen: set[str] = set()
    for name, record in records:
        if name not in seen:
            seen.add(name)
            yield name, record


def _judge(job: Job, shards: Shards) -> Judge | None:
    """Who says what an image counts, where that depends on the regions of all."""
    assert job.algorithm is not None
    if job.algorithm.regions is None:
        return None
    return job.algorithm.regions.judge([record.regions for record in shards.records() if not record.bad], job.mining)


def _scores(candidates: Sequence[str], shards: Shards, judge: Judge | None) -> Iterator[tuple[str, float]]:
    """Scores by path; an image that could not be used comes after all others."""
    found = [None if record.bad else _score(record, judge) for record in shards.records()]
    least = min((score for score in found if score is not None), default=0.0)
    worst = least - max(1.0, abs(least))  # a step that is still seen when a score is rounded to few digits
    for path, score in zip(candidates, found, strict=True):
        yield path, worst if score is None else score


def _score(record: Record[Any], judge: Judge | None) -> float:
    return record.score if judge is None else judge.score(record.regions)
