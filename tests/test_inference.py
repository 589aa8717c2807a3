"""The loop of inference and mining, with a predictor that counts its work."""

import random
import threading
from pathlib import Path

import pytest
from fakes import CLASS_NAMES, TASK_ID, StubPredictor, write_images

from common.contract import ObjectType
from common.errors import ImageError
from common.images.verify import check_bad_images, tolerated_bad_images
from common.loop.job import Job
from common.loop.loop import run_rank
from common.loop.shards import Shards
from common.mining.registry import DETECTION
from common.results.objects import OBJECTS
from common.results.records import CHUNK_TYPES, Record
from common.task.mining_settings import MiningSettings
from common.task.params import CandidateOptions

COUNT = 22
DETECTING = ObjectType.DETECTION
CHUNKS = CHUNK_TYPES[DETECTING]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.loop.shards.CHUNK_SIZE", 5)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_images(tmp_path_factory.mktemp("assets"), COUNT)


def job_of(
    *, infer: bool = True, mine: str | None = "entropy", batch: int = 3, workers: int = 2, bad: float = 0.5
) -> Job:
    algorithm = DETECTION[mine] if mine else None
    objects = OBJECTS[DETECTING] if infer else None
    return Job(
        objects, algorithm, CLASS_NAMES, CandidateOptions(mine or "", batch, workers, bad, MiningSettings(TASK_ID))
    )


def run(
    folder: Path, images: list[Path], job: Job, predictor: StubPredictor | None = None
) -> tuple[list[Record], StubPredictor, list[float]]:
    """Run one rank over everything that is left: all records, the predictor, the progress."""
    predictor = predictor or StubPredictor()
    progress: list[float] = []
    shards = Shards(folder, len(images), CHUNKS)
    shards.release_claims()
    run_rank(images, job, predictor, shards, progress.append)
    return list(shards.records()), predictor, progress


def break_some(images: list[Path], folder: Path, numbers: set[int]) -> list[Path]:
    """The same images, some of them text files."""
    broken = []
    for i, path in enumerate(images):
        broken.append(folder / path.name)
        broken[-1].write_bytes(b"no image" if i in numbers else path.read_bytes())
    return broken


# the same result, however the work is done


def test_each_record_is_that_of_its_own_image(tmp_path: Path, images: list[Path]) -> None:
    together, _, _ = run(tmp_path / "all", images, job_of(batch=4))
    alone = [run(tmp_path / f"{i}", [path], job_of(batch=1))[0][0] for i, path in enumerate(images)]
    assert together == alone
    assert len({record.score for record in together}) > COUNT // 2  # they do differ
    assert any(not record.objects for record in together)
    assert any(len(record.objects) > 1 for record in together)


@pytest.mark.parametrize("mine", [None, *DETECTION])
@pytest.mark.parametrize(("batch", "workers"), [(1, 0), (8, 4)])
def test_neither_the_batch_size_nor_the_threads_change_anything(
    tmp_path: Path, images: list[Path], mine: str | None, batch: int, workers: int
) -> None:
    expected, _, _ = run(tmp_path / "a", images, job_of(mine=mine))
    assert run(tmp_path / "b", images, job_of(mine=mine, batch=batch, workers=workers))[0] == expected


@pytest.mark.parametrize("ranks", [2, 4])
def test_the_number_of_ranks_does_not_change_a_byte_and_no_work_is_done_twice(
    tmp_path: Path, images: list[Path], ranks: int
) -> None:
    run(tmp_path / "one", images, job_of())
    predictors = [StubPredictor() for _ in range(ranks)]
    shards = Shards(tmp_path / "many", COUNT, CHUNKS)
    arguments = [(images, job_of(), each, shards, lambda _: None) for each in predictors]
    threads = [threading.Thread(target=run_rank, args=each) for each in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, many = (
        {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.json")} for name in ("one", "many")
    )
    assert many == one
    assert sum(predictor.forwarded for predictor in predictors) == COUNT


@pytest.mark.parametrize("dies_after", [0, 1, 3, 6])
def test_after_a_kill_only_the_rest_is_done_and_nothing_differs(
    tmp_path: Path, images: list[Path], dies_after: int
) -> None:
    expected, _, _ = run(tmp_path / "a", images, job_of())
    folder = tmp_path / "b"
    with pytest.raises(KeyboardInterrupt):
        run(folder, images, job_of(), StubPredictor(dies_after=dies_after))
    done = Shards(folder, COUNT, CHUNKS).done()
    records, predictor, progress = run(folder, images, job_of())
    assert records == expected
    assert predictor.forwarded == predictor.prepared == COUNT - done
    assert progress[0] >= done / COUNT
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


def test_lost_chunks_are_done_again(tmp_path: Path, images: list[Path]) -> None:
    expected, _, _ = run(tmp_path, images, job_of())
    for chunk in (1, 4):
        (tmp_path / f"{chunk:06d}.json").unlink()
    records, predictor, _ = run(tmp_path, images, job_of())
    assert records == expected
    assert predictor.forwarded == 5 + 2


def test_a_finished_task_has_nothing_left_to_do(tmp_path: Path, images: list[Path]) -> None:
    run(tmp_path, images, job_of())
    _, predictor, _ = run(tmp_path, images, job_of())
    assert predictor.prepared == 0


@pytest.mark.parametrize("mine", list(DETECTION))
def test_a_score_goes_with_the_image_not_with_its_place(tmp_path: Path, images: list[Path], mine: str) -> None:
    first, _, _ = run(tmp_path / "a", images, job_of(mine=mine))
    scores = {path.name: record.score for path, record in zip(images, first, strict=True)}
    mixed = random.Random(0).sample(images, COUNT)
    second, _, _ = run(tmp_path / "b", mixed, job_of(mine=mine))
    assert {path.name: record.score for path, record in zip(mixed, second, strict=True)} == scores


# how often each image is looked at


@pytest.mark.parametrize(
    ("infer", "mine", "forwards"),
    [
        (True, None, 1),
        (False, "entropy", 1),
        (True, "entropy", 1),  # both from one pass
        (True, "aldd", 1),
        (True, "random", 1),
        (True, "cald", 5),  # the image and its four changes
        (False, "cald", 5),
    ],
)
def test_each_image_is_decoded_once_and_forwarded_as_often_as_needed(
    tmp_path: Path, images: list[Path], infer: bool, mine: str | None, forwards: int
) -> None:
    _, predictor, _ = run(tmp_path, images, job_of(infer=infer, mine=mine), StubPredictor(least=1))
    assert predictor.prepared == COUNT
    assert predictor.forwarded == forwards * COUNT


def test_an_image_without_detections_costs_cald_one_pass(tmp_path: Path, images: list[Path]) -> None:
    records, predictor, _ = run(tmp_path, images, job_of(mine="cald"))
    empty = sum(not record.objects for record in records)
    assert 0 < empty < COUNT
    assert predictor.forwarded == COUNT + 4 * (COUNT - empty)


def test_class_maps_are_asked_for_by_those_who_need_them_only(tmp_path: Path, images: list[Path]) -> None:
    for mine, needed in ((None, False), ("entropy", False), ("cald", False), ("aldd", True)):
        _, predictor, _ = run(tmp_path / str(mine), images, job_of(mine=mine))
        assert set(predictor.maps_asked) == {needed}


def test_batches_are_of_one_shape_and_no_larger_than_asked(tmp_path: Path, images: list[Path]) -> None:
    for mine in ("entropy", "cald"):
        _, predictor, _ = run(tmp_path / mine, images, job_of(mine=mine, batch=3))
        assert {shape[1:] for shape in predictor.batches} == {(64, 64, 3), (64, 32, 3)}
        assert max(shape[0] for shape in predictor.batches) == 3


def test_random_mining_alone_looks_at_nothing(tmp_path: Path) -> None:
    absent = [Path(f"/nowhere/{i}.jpg") for i in range(7)]
    job = job_of(infer=False, mine="random")
    assert not job.needs_model
    shards = Shards(tmp_path, len(absent), CHUNKS)
    run_rank(absent, job, None, shards, lambda _: None)
    assert len({record.score for record in shards.records()}) == 7
    assert all(0 <= record.score < 1 and not record.bad for record in shards.records())


def test_without_mining_there_is_no_score_and_without_inference_no_object(tmp_path: Path, images: list[Path]) -> None:
    inferred, _, _ = run(tmp_path / "a", images, job_of(mine=None))
    assert {record.score for record in inferred} == {0.0}
    mined, _, _ = run(tmp_path / "b", images, job_of(infer=False))
    assert {record.objects for record in mined} == {()}


def test_boxes_are_those_of_the_image_not_of_the_model_input(tmp_path: Path, images: list[Path]) -> None:
    sizes = [(32, 48), (48, 32), (40, 40), (16, 64)]  # width, height
    records, _, _ = run(tmp_path, images, job_of())
    for i, record in enumerate(records):
        width, height = sizes[i % 4]
        for item in record.objects:
            assert item.box.x + item.box.w <= width + 1
            assert item.box.y + item.box.h <= height + 1


# progress


@pytest.mark.parametrize("workers", [0, 3])
def test_progress_only_grows_and_reaches_one(tmp_path: Path, images: list[Path], workers: int) -> None:
    broken = break_some(images, tmp_path, {0, 7, 21})
    _, _, progress = run(tmp_path / "shards", broken, job_of(workers=workers))
    assert progress == sorted(progress)
    assert len(set(progress)) > 5  # more often than once a chunk
    assert progress[-1] == 1.0


# images that cannot be decoded


def test_a_broken_image_is_recorded_and_changes_no_other(
    tmp_path: Path, images: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    expected, _, _ = run(tmp_path / "a", images, job_of())
    broken = break_some(images, tmp_path, {2, 9})
    broken[9].unlink()  # gone since the index was read
    records, predictor, _ = run(tmp_path / "b", broken, job_of())
    assert [i for i, record in enumerate(records) if record.bad] == [2, 9]
    assert str(broken[2]) in records[2].bad
    assert (records[2].objects, records[2].score) == ((), 0.0)
    assert [r for i, r in enumerate(records) if i not in (2, 9)] == [
        r for i, r in enumerate(expected) if i not in (2, 9)
    ]
    assert predictor.forwarded == COUNT - 2
    assert sum("skipped" in message for message in caplog.messages) == 2


def test_too_many_broken_images_stop_the_task(tmp_path: Path, images: list[Path]) -> None:
    broken = break_some(images, tmp_path, {1, 2, 3})
    with pytest.raises(ImageError) as raised:
        run(tmp_path / "shards", broken, job_of(bad=0.1))
    for words in ("3 of 22", "max_bad_images 0.1", str(broken[1])):
        assert words in str(raised.value)


@pytest.mark.parametrize(
    ("share", "count", "tolerated"),
    [
        (0.01, 1000, 10),
        (0.01, 50, 1),  # one is always tolerated,
        (0.01, 1, 0),  # unless it is all there is,
        (0.0, 1000, 0),  # or none is allowed
        (1.0, 5, 5),
        (0.5, 3, 1),
    ],
)
def test_how_many_images_may_be_bad(share: float, count: int, tolerated: int) -> None:
    assert tolerated_bad_images(share, count) == tolerated
    check_bad_images(["/in/a.jpg: empty file"] * tolerated, share, count)
    with pytest.raises(ImageError, match="max_bad_images"):
        check_bad_images(["/in/a.jpg: empty file"] * (tolerated + 1), share, count)
