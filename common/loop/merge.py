"""Merge the finished chunks of all ranks into the files that the platform reads. Each chunk is read once."""

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from common.contract import REGIONS_FOLDER, ObjectType
from common.images.verify import check_bad_images
from common.loop.job import Job, shards_of
from common.mining.algorithm import PoolMeasure, finite
from common.progress import Progress
from common.results.detection import write_infer_result
from common.results.mining import write_mining_result
from common.results.records import Annotation, AnyRecord, MaskObject, Record
from common.results.regions import write_regions
from common.results.segmentation import write_segmentation_result
from common.task.env import Task
from common.task.mining_settings import MiningSettings

log = logging.getLogger(__name__)


def merge(task: Task, candidates: Sequence[str], job: Job, progress: Progress) -> None:
    """Write the results of a task from the finished chunks of all ranks.

    All records pass through one chain of generators: they are counted, the objects are written, and only scores and
    regions stay in memory. So the pool may be larger than the memory.

    Args:
        progress: receives the written share of the regions to label, if there are any.

    Raises:
        ImageError: too many images cannot be decoded; nothing is written then.
        FileNotFoundError: a chunk is missing.
    """
    kept = Kept([], [], [])
    shards = shards_of(task, len(candidates))
    records = _checked(kept.passing(shards.records()), kept, job.options.max_bad_images, len(candidates))
    if job.objects is not None:
        _write_objects(task, zip(map(os.path.basename, candidates), records, strict=True))
    else:
        deque(records, maxlen=0)  # nothing to write, but the records still have to pass
    if kept.bad:
        log.warning("%d of %d images could not be used; their results are empty", len(kept.bad), len(candidates))
    if isinstance(job.algorithm, PoolMeasure):
        _rank_regions(task, candidates, job.algorithm, kept, job.options.mining, progress)
    elif job.algorithm is not None:
        write_mining_result(task.env.output.mining_result_file, _with_paths(candidates, kept.scores), task.id)


@dataclass(frozen=True, slots=True)
class Kept:
    """Parts of all records that stay in memory to the end.

    Attributes:
        scores: score per candidate; None for an image that could not be used.
        regions: summary of the regions per candidate; empty unless the algorithm makes one.
        bad: reasons of the images that could not be used.
    """

    scores: list[float | None]
    regions: list[bytes]
    bad: list[str]

    def passing(self, records: Iterable[AnyRecord]) -> Iterator[AnyRecord]:
        """Pass all records on, and keep what is needed of each."""
        for record in records:
            self.scores.append(None if record.bad else record.score)
            self.regions.append(record.regions)
            if record.bad:
                self.bad.append(record.bad)
            yield record


def _checked(records: Iterable[AnyRecord], kept: Kept, max_bad_images: float, count: int) -> Iterator[AnyRecord]:
    """Pass all records on, then raise an error if too many are bad.

    The error reaches the writer while its file is still a temporary one: no half-true result is ever visible.
    """
    yield from records
    check_bad_images(kept.bad, max_bad_images, count)


def _write_objects(task: Task, records: Iterable[tuple[str, AnyRecord]]) -> None:
    """Write objects by base name, the key of the platform; of candidates with the same name, the first counts."""
    first = _unique(records)
    path = task.env.output.infer_result_file
    if task.object_type is ObjectType.DETECTION:
        boxes = cast(Iterator[tuple[str, Record[Annotation]]], first)
        write_infer_result(path, ((name, record.objects) for name, record in boxes), legacy=task.legacy)
    else:
        write_segmentation_result(path, cast(Iterator[tuple[str, Record[MaskObject]]], first), task.class_names)


def _unique(records: Iterable[tuple[str, AnyRecord]]) -> Iterator[tuple[str, AnyRecord]]:
    seen: set[str] = set()
    for name, record in records:
        if name not in seen:
            seen.add(name)
            yield name, record


def _rank_regions(
    task: Task,
    candidates: Sequence[str],
    algorithm: PoolMeasure,
    kept: Kept,
    settings: MiningSettings,
    progress: Progress,
) -> None:
    """Write the ranking and the regions to label in its first images.

    The judge needs the summaries of the whole pool before it can score a single image, so scores are made here and not
    in the ranks.
    """
    usable = {path: regions for path, regions in zip(candidates, kept.regions, strict=True) if regions}
    judge = algorithm.judge(list(usable.values()), settings)
    scores = [finite(algorithm, path, judge.score(usable[path])) if path in usable else None for path in candidates]
    ranking = write_mining_result(task.env.output.mining_result_file, _with_paths(candidates, scores), task.id)
    first = {path: usable[path] for path in ranking[: settings.kept_images] if path in usable}
    write_regions(task.env.output.root_dir / REGIONS_FOLDER, first, judge, progress)


def _with_paths(candidates: Sequence[str], scores: Sequence[float | None]) -> Iterator[tuple[str, float]]:
    """Pair paths and scores; an image that could not be used comes after all others."""
    least = min((score for score in scores if score is not None), default=0.0)
    worst = least - max(1.0, abs(least))  # a step that survives the rounding of scores to few digits
    for path, score in zip(candidates, scores, strict=True):
        yield path, worst if score is None else score
