"""Chunks of candidates: claimed once, whole or absent, put together in order."""

import threading
from pathlib import Path

import pytest

from common.contract import ObjectType
from common.loop.shards import Shards
from common.results.records import CHUNK_TYPES, Annotation, Box, Record

CHUNKS = CHUNK_TYPES[ObjectType.DETECTION]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.loop.shards.CHUNK_SIZE", 4)


def numbered(shards: Shards, chunk: int) -> list[Record]:
    return [Record(score=float(i)) for i in shards.span(chunk)]


@pytest.mark.parametrize(
    ("count", "spans"),
    [
        (0, []),
        (3, [(0, 3)]),
        (4, [(0, 4)]),
        (9, [(0, 4), (4, 8), (8, 9)]),
    ],
)
def test_the_chunks_cover_every_candidate_once(tmp_path: Path, count: int, spans: list[tuple[int, int]]) -> None:
    shards = Shards(tmp_path, count, CHUNKS)
    assert [(span.start, span.stop) for span in map(shards.span, shards.chunks)] == spans


def test_records_come_back_in_the_order_of_the_candidates(tmp_path: Path) -> None:
    shards = Shards(tmp_path / "made", 10, CHUNKS)
    for chunk in (2, 0, 1):
        shards.write(chunk, numbered(shards, chunk))
    assert [record.score for record in shards.records()] == list(range(10))


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    shards = Shards(tmp_path, 2, CHUNKS)
    records = [
        Record((Annotation(Box(1, 2, 3, 4), "黑 cat", 0.123456),), score=1 / 3),
        Record(bad='/in/a "b".png: truncated'),
    ]
    shards.write(0, records)
    assert shards.read(0) == records


def test_a_chunk_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="chunk 0: expected 4 records, got 3"):
        Shards(tmp_path, 9, CHUNKS).write(0, [Record()] * 3)


def test_a_missing_chunk_is_noticed(tmp_path: Path) -> None:
    shards = Shards(tmp_path, 9, CHUNKS)
    shards.write(0, numbered(shards, 0))
    with pytest.raises(FileNotFoundError):
        list(shards.records())
    assert shards.done() == 4


def test_finished_chunks_are_not_claimed(tmp_path: Path) -> None:
    shards = Shards(tmp_path, 9, CHUNKS)
    shards.write(1, numbered(shards, 1))
    assert list(shards.claim()) == [0, 2]


def test_no_chunk_is_claimed_twice_by_ranks_at_the_same_time(tmp_path: Path) -> None:
    shards = Shards(tmp_path, 400, CHUNKS)
    claimed: list[list[int]] = [[] for _ in range(4)]
    start = threading.Barrier(4)

    def rank(number: int) -> None:
        start.wait()
        claimed[number].extend(Shards(tmp_path, 400, CHUNKS).claim())

    threads = [threading.Thread(target=rank, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(chunk for own in claimed for chunk in own) == list(shards.chunks)
    assert all(own == sorted(own) for own in claimed)


def test_claims_that_a_kill_left_behind_are_released(tmp_path: Path) -> None:
    shards = Shards(tmp_path, 9, CHUNKS)
    next(shards.claim())
    assert list(shards.claim()) == [1, 2]
    shards.release_claims()
    assert list(shards.claim()) == [0, 1, 2]


def test_releasing_before_anything_ran_does_no_harm(tmp_path: Path) -> None:
    Shards(tmp_path / "absent", 9, CHUNKS).release_claims()
    assert not (tmp_path / "absent").exists()
