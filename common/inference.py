"""The loop that every image runs for inference and mining: candidates in, one forward pass each, shards out.

claimed chunks -> threads: read, decode, fit -> batches of equal shape -> predictor -> records -> shard
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice, repeat
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from common.errors import ImageError
from common.images.decode import Pixels, read_image
from common.images.letterbox import Prepared
from common.images.stream import work_ahead
from common.mining.algorithm import Algorithm, Evidence, Labels, importance
from common.mining.seeds import rng, seed
from common.mining.settings import MiningSettings
from common.predictions import Detections, Prediction
from common.records import Record
from common.results.objects import Objects
from common.shards import Shards

log = logging.getLogger(__name__)

NOTHING = Prediction(Detections.empty(1))
"""What is known of an image that was not looked at."""


class Predictor(Protocol):
    """What an adapter gives the loop. It knows nothing of files, tasks or mining.

    Attributes:
        class_names: of the model.
    """

    class_names: Sequence[str]

    def prepare(self, image: Pixels) -> Prepared:
        """Fit one `(h, w, 3)` BGR image to the model's input. Called in threads; must not depend on other images."""

    def predict(self, batch: NDArray[np.uint8], *, class_maps: bool) -> list[Prediction]:
        """One forward pass of a `(B, H, W, 3)` batch; boxes in pixels of the input; class maps only if asked for."""


class DropoutPredictor(Predictor, Protocol):
    """A predictor of a model that can be asked again and again, each time with other parts of it left out."""

    def predict_dropout(self, batch: NDArray[np.uint8], passes: Sequence[Sequence[int]]) -> Iterator[list[Prediction]]:
        """Forward passes with dropout. What is left out for an image depends on its seed and on nothing else.

        Args:
            batch: `(B, H, W, 3)`.
            passes: B seeds for each pass.
        """


@dataclass(frozen=True, slots=True)
class Job:
    """What to find out about each candidate.

    Attributes:
        objects: what to keep of a prediction; None where nobody asked for inference.
        algorithm: mine with it, or None.
        mining: settings of the algorithm.
        class_names: of the task; empty = those of the model, as platforms from 2.5.0 on may ask for.
        batch_size: most images in a forward pass.
        workers: threads that read and decode.
        max_bad_images: largest tolerated share of images that cannot be decoded, in [0, 1].
    """

    objects: Objects | None
    algorithm: Algorithm | None
    mining: MiningSettings
    class_names: Sequence[str]
    batch_size: int
    workers: int
    max_bad_images: float

    @property
    def needs_model(self) -> bool:
        """Whether anything has to be predicted at all: random mining alone needs neither model nor pixels."""
        return self.objects is not None or (self.algorithm is not None and self.algorithm.needs_model)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One line of the candidate index, on its way through the loop."""

    chunk: int
    path: Path
    prepared: Prepared | None = None
    segments: Labels | None = None
    bad: str = ""


def tolerated_bad_images(share: float, count: int) -> int:
    """How many of `count` images may be undecodable.

    One may always be, unless it is all there is or the share is zero: a small set must not fail for a single file.
    """
    return max(int(share * count), 1 if share > 0 and count > 1 else 0)


def check_bad_images(bad: Sequence[str], share: float, count: int) -> None:
    """Say what was skipped, and stop where it is too much.

    Args:
        bad: one sentence an image, each naming its file.

    Raises:
        ImageError: more than the tolerated share of `count` images is bad.
    """
    if len(bad) > tolerated_bad_images(share, count):
        raise ImageError(
            f"{len(bad)} of {count} images cannot be used, more than max_bad_images {share:g} allows; first: {bad[0]}"
        )


def run_rank(
    candidates: Sequence[str],
    job: Job,
    predictor: Predictor | None,
    shards: Shards,
    progress: Callable[[float], None],
) -> None:
    """Predict all chunks that this rank can claim.

    Args:
        candidates: all candidates of the task, in index order.
        predictor: may be None where the job needs no model.
        progress: called with the share of all candidates that is done.

    Raises:
        ImageError: too many undecodable images.
    """
    claimed = (Candidate(chunk, Path(candidates[i])) for chunk in shards.claim() for i in shards.span(chunk))
    ready = (
        claimed
        if predictor is None
        else work_ahead(
            claimed,
            lambda candidate: _prepare(candidate, job, predictor),
            job.workers,
            depth=2 * job.batch_size + job.workers,
        )
    )
    bad: list[str] = []
    for chunk, members in groupby(ready, key=lambda candidate: candidate.chunk):
        advance = partial(_advance, progress, shards.done(), len(candidates))
        records = list(_records(members, job, predictor, advance))
        for record in filter(lambda record: record.bad, records):
            log.warning("skipped: %s", record.bad)
            bad.append(record.bad)
        check_bad_images(bad, job.max_bad_images, len(candidates))
        shards.write(chunk, records)
        progress(shards.done() / len(candidates))


def _advance(progress: Callable[[float], None], before: int, count: int, done: int) -> None:
    progress((before + done) / count)


def _prepare(candidate: Candidate, job: Job, predictor: Predictor) -> Candidate:
    try:
        image = read_image(candidate.path)
    except ImageError as error:
        return replace(candidate, bad=str(error))
    cut = job.algorithm.segment if job.algorithm is not None else None
    segments = cut(image, job.mining) if cut is not None else None
    return replace(candidate, prepared=predictor.prepare(image), segments=segments)


def _records(
    members: Iterable[Candidate], job: Job, predictor: Predictor | None, advance: Callable[[int], None]
) -> Iterator[Record[Any]]:
    """Records of one chunk, in candidate order."""
    records: dict[int, Record[Any]] = {}
    if predictor is None:
        records = {i: _record_without_model(member, job) for i, member in enumerate(members)}
    else:
        for batch in equal_shapes(enumerate(members), job.batch_size, records):
            found = _predict([member for _, member in batch], job, predictor)
            records.update(zip((i for i, _ in batch), found, strict=True))
            advance(len(records))
    return (records[i] for i in sorted(records))


def equal_shapes(
    members: Iterable[tuple[int, Candidate]], size: int, records: dict[int, Record[Any]]
) -> Iterator[list[tuple[int, Candidate]]]:
    """Batches of up to `size` images of one input shape; a bad image goes straight to `records`, with its reason."""
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


def _predict(batch: Sequence[Candidate], job: Job, predictor: Predictor) -> Iterator[Record[Any]]:
    prepared = [member.prepared for member in batch if member.prepared is not None]
    pixels = np.stack([item.pixels for item in prepared])
    maps = job.algorithm is not None and job.algorithm.needs_class_maps
    predictions = predictor.predict(pixels, class_maps=maps)
    mined = _mined(batch, pixels, predictions, job, predictor)
    names = job.class_names or predictor.class_names
    for item, prediction, record in zip(prepared, predictions, mined, strict=True):
        found = job.objects(prediction, item.placement, names) if job.objects is not None else ()
        yield msgspec.structs.replace(record, objects=found, size=item.placement.size)


def _mined(
    batch: Sequence[Candidate],
    pixels: NDArray[np.uint8],
    predictions: Sequence[Prediction],
    job: Job,
    predictor: Predictor,
) -> Iterator[Record[Any]]:
    """What mining says about each image of a batch, one at a time: maps of all pixels are large."""
    algorithm = job.algorithm
    if algorithm is None:
        return repeat(Record(), len(batch))
    size = pixels.shape[1:3]
    evidence = [
        Evidence(member.path.name, prediction, size, segments=member.segments)
        for member, prediction in zip(batch, predictions, strict=True)
    ]
    if algorithm.augment is not None:
        evidence = _with_augmentations(evidence, pixels, algorithm, job, predictor)
    if algorithm.observe is not None:
        evidence = _with_passes(evidence, pixels, algorithm, job, cast(DropoutPredictor, predictor))
    return (_judged(algorithm, item, job.mining) for item in evidence)


def _judged(algorithm: Algorithm, evidence: Evidence, settings: MiningSettings) -> Record[Any]:
    if algorithm.regions is not None:
        return Record(regions=algorithm.regions.summarise(evidence, settings))
    return Record(score=importance(algorithm, evidence, settings))


def _with_augmentations(
    evidence: Sequence[Evidence],
    pixels: NDArray[np.uint8],
    algorithm: Algorithm,
    job: Job,
    predictor: Predictor,
) -> list[Evidence]:
    """Predict the augmentations of all images of a batch, in further batches of the same size."""
    assert algorithm.augment is not None
    changed = [
        algorithm.augment(image, item.prediction.detections, rng(job.mining.task_id, item.name))
        for image, item in zip(pixels, evidence, strict=True)
    ]
    images = [augmented.image for augmentations in changed for augmented in augmentations]
    predicted = iter(
        prediction
        for start in range(0, len(images), job.batch_size)
        for prediction in predictor.predict(np.stack(images[start : start + job.batch_size]), class_maps=False)
    )
    return [
        replace(item, augmented=tuple(islice(predicted, len(augmentations))), augmentations=augmentations)
        for item, augmentations in zip(evidence, changed, strict=True)
    ]


def _with_passes(
    evidence: Sequence[Evidence],
    pixels: NDArray[np.uint8],
    algorithm: Algorithm,
    job: Job,
    predictor: DropoutPredictor,
) -> list[Evidence]:
    """Predict a batch again and again with dropout; of each pass only what the score needs is kept."""
    assert algorithm.observe is not None
    seeds = [[seed(job.mining.task_id, item.name, number) for item in evidence] for number in range(job.mining.passes)]
    passes = [[algorithm.observe(each) for each in found] for found in predictor.predict_dropout(pixels, seeds)]
    return [replace(item, passes=seen) for item, seen in zip(evidence, zip(*passes, strict=True), strict=True)]


def _record_without_model(member: Candidate, job: Job) -> Record[Any]:
    assert job.algorithm is not None
    return _judged(job.algorithm, Evidence(member.path.name, NOTHING, (0, 0)), job.mining)
