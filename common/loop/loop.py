"""The loop of inference and mining, the same for every image: candidates in, one forward pass each, shards out.

claimed chunks -> threads: read, decode, fit -> batches of equal shape -> predictor -> records -> shard
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice, repeat
from pathlib import Path
from typing import cast

import msgspec
import numpy as np

from common.arrays import Batch, Segments
from common.errors import ImageError
from common.images.decode import read_image
from common.images.letterbox import Prepared
from common.images.stream import work_ahead
from common.images.verify import check_bad_images
from common.loop.job import Job
from common.loop.predictor import DropoutPredictor, Predictor
from common.loop.shards import Shards
from common.mining.algorithm import Algorithm, Augment, Evidence, ImageMeasure, Observe, PoolMeasure, importance
from common.mining.seeds import rng, seed
from common.predictions import Detections, Prediction
from common.progress import Progress
from common.results.records import AnyRecord, Record
from common.task.mining_settings import MiningSettings
from common.task.params import CandidateOptions

log = logging.getLogger(__name__)

NOTHING = Prediction(Detections.empty(1))
"""Prediction for an image that no model looked at."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One line of the candidate index, on its way through the loop."""

    chunk: int
    path: Path
    prepared: Prepared | None = None
    segments: Segments | None = None
    bad: str = ""


def run_rank(
    candidates: Sequence[str], job: Job, predictor: Predictor | None, shards: Shards, progress: Progress
) -> None:
    """Process all chunks that this rank can claim.

    Args:
        candidates: all candidates of the task, in the order of the index.
        predictor: may be None if the job needs no model.
        progress: receives the finished share of all candidates, those of other ranks included.

    Raises:
        ImageError: too many undecodable images.
    """
    # The generator is lazy: a chunk is claimed only when the reading threads ask for its first candidate. So a fast
    # rank gets more chunks than a slow one, and a killed rank has claimed few chunks that it did not finish.
    claimed = (Candidate(chunk, Path(candidates[i])) for chunk in shards.claim() for i in shards.span(chunk))
    bad: list[str] = []
    for chunk, members in groupby(_ready(claimed, job, predictor), key=lambda candidate: candidate.chunk):
        # Counted again for each chunk, because other ranks finish chunks in the meantime.
        records = list(_records(members, job, predictor, _advance(progress, shards.done(), len(candidates))))
        for reason in (record.bad for record in records if record.bad):
            log.warning("skipped: %s", reason)
            bad.append(reason)
        # A rank knows its own bad images only. This stops a hopeless task early; the merge counts those of all ranks.
        check_bad_images(bad, job.options.max_bad_images, len(candidates))
        shards.write(chunk, records)
        progress(shards.done() / len(candidates))


def _ready(claimed: Iterable[Candidate], job: Job, predictor: Predictor | None) -> Iterator[Candidate]:
    """Read and fit the candidates ahead of the model; without a model they pass as they are."""
    if predictor is None:
        return iter(claimed)
    options = job.options
    prepare = partial(_prepare, job=job, predictor=predictor)
    return work_ahead(claimed, prepare, options.workers, depth=2 * options.batch_size + options.workers)


def _advance(progress: Progress, before: int, count: int) -> Callable[[int], None]:
    """Make the progress within a chunk: it receives the number of finished candidates of the chunk."""
    return lambda done: progress((before + done) / count)


def _prepare(candidate: Candidate, job: Job, predictor: Predictor) -> Candidate:
    try:
        image = read_image(candidate.path)
    except ImageError as error:
        return replace(candidate, bad=str(error))
    segments = None
    if isinstance(job.algorithm, PoolMeasure) and job.algorithm.segment is not None:
        segments = job.algorithm.segment(image, job.options.mining)
    return replace(candidate, prepared=predictor.prepare(image), segments=segments)


def _records(
    members: Iterable[Candidate], job: Job, predictor: Predictor | None, advance: Callable[[int], None]
) -> Iterator[AnyRecord]:
    """Make the records of one chunk, in the order of the candidates.

    Batches hold images of equal shape, so records are finished in another order; they are sorted at the end. Batches
    never reach beyond a chunk: otherwise the neighbours of an image, and with them the last bits of its numbers, would
    depend on the chunks that a rank happens to get.
    """
    if predictor is None:
        return (_record_without_model(member, job) for member in members)
    records: dict[int, AnyRecord] = {}
    for batch in equal_shapes(enumerate(members), job.options.batch_size, records):
        found = _predict([member for _, member in batch], job, predictor)
        records.update(zip((i for i, _ in batch), found, strict=True))
        advance(len(records))
    return (records[i] for i in sorted(records))


def equal_shapes(
    members: Iterable[tuple[int, Candidate]], size: int, records: dict[int, AnyRecord]
) -> Iterator[list[tuple[int, Candidate]]]:
    """Collect batches of up to `size` images of one input shape; bad images go straight to `records`."""
    buckets: dict[tuple[int, ...], list[tuple[int, Candidate]]] = defaultdict(list)
    for i, member in members:
        if member.prepared is None:
            records[i] = Record(bad=member.bad)
            continue
        bucket = buckets[member.prepared.pixels.shape]
        bucket.append((i, member))
        if len(bucket) == size:
            yield bucket[:]
            bucket.clear()
    yield from filter(None, buckets.values())


def _predict(batch: Sequence[Candidate], job: Job, predictor: Predictor) -> Iterator[AnyRecord]:
    prepared = [member.prepared for member in batch if member.prepared is not None]
    pixels = np.stack([item.pixels for item in prepared])
    maps = job.algorithm is not None and job.algorithm.needs_class_maps
    predictions = predictor.predict(pixels, class_maps=maps)
    mined: Iterator[AnyRecord] = repeat(Record(), len(batch))
    if job.algorithm is not None:
        mined = _mined(job.algorithm, batch, pixels, predictions, job.options, predictor)
    names = job.class_names or predictor.class_names
    for item, prediction, record in zip(prepared, predictions, mined, strict=True):
        found = job.objects(prediction, item.placement, names) if job.objects is not None else ()
        yield msgspec.structs.replace(record, objects=found, size=item.placement.size)


def _mined(
    algorithm: Algorithm,
    batch: Sequence[Candidate],
    pixels: Batch,
    predictions: Sequence[Prediction],
    options: CandidateOptions,
    predictor: Predictor,
) -> Iterator[AnyRecord]:
    """Score the images of a batch lazily, one at a time, because maps of all pixels are large."""
    evidence = [
        Evidence(member.path.name, prediction, pixels.shape[1:3], segments=member.segments)
        for member, prediction in zip(batch, predictions, strict=True)
    ]
    if algorithm.augment is not None:
        evidence = _with_augmentations(evidence, pixels, algorithm.augment, options, predictor)
    if algorithm.observe is not None:
        evidence = _with_passes(evidence, pixels, algorithm.observe, options.mining, cast(DropoutPredictor, predictor))
    return (_measured(algorithm, item, options.mining) for item in evidence)


def _measured(algorithm: Algorithm, evidence: Evidence, settings: MiningSettings) -> AnyRecord:
    match algorithm:
        case ImageMeasure():
            return Record(score=importance(algorithm, evidence, settings))
        case PoolMeasure():
            return Record(regions=algorithm.summarise(evidence, settings))
    raise TypeError(f"{algorithm.name}: {type(algorithm).__name__} is neither an ImageMeasure nor a PoolMeasure")


def _with_augmentations(
    evidence: Sequence[Evidence], pixels: Batch, augment: Augment, options: CandidateOptions, predictor: Predictor
) -> list[Evidence]:
    """Predict the augmented copies of all images of a batch, in further batches of the same size."""
    changed = [
        augment(image, item.prediction.detections, rng(options.mining.task_id, item.name))
        for image, item in zip(pixels, evidence, strict=True)
    ]
    images = [augmented.image for augmentations in changed for augmented in augmentations]
    predicted = iter(
        prediction
        for start in range(0, len(images), options.batch_size)
        for prediction in predictor.predict(np.stack(images[start : start + options.batch_size]), class_maps=False)
    )
    return [
        replace(item, augmented=tuple(islice(predicted, len(augmentations))), augmentations=augmentations)
        for item, augmentations in zip(evidence, changed, strict=True)
    ]


def _with_passes(
    evidence: Sequence[Evidence],
    pixels: Batch,
    observe: Observe,
    settings: MiningSettings,
    predictor: DropoutPredictor,
) -> list[Evidence]:
    """Predict a batch repeatedly with dropout; of each pass only what the score needs is kept."""
    seeds = [[seed(settings.task_id, item.name, number) for item in evidence] for number in range(settings.passes)]
    passes = [[observe(each) for each in found] for found in predictor.predict_dropout(pixels, seeds)]
    return [replace(item, passes=seen) for item, seen in zip(evidence, zip(*passes, strict=True), strict=True)]


def _record_without_model(member: Candidate, job: Job) -> AnyRecord:
    if job.algorithm is None:
        return Record()
    return _measured(job.algorithm, Evidence(member.path.name, NOTHING, (0, 0)), job.options.mining)
