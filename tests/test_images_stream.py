"""Work ahead in threads: in order, bounded, and honest about exceptions."""

import threading
import time
from collections.abc import Iterator

import pytest

from common.images.stream import work_ahead


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    def slow_at_first(item: int) -> int:
        time.sleep(0.01 if item == 0 else 0)
        return item * item

    assert list(work_ahead(range(50), slow_at_first, workers, depth=8)) == [i * i for i in range(50)]


@pytest.mark.parametrize("workers", [0, 3])
def test_no_items_give_no_results(workers: int) -> None:
    assert list(work_ahead([], str, workers, depth=4)) == []


@pytest.mark.parametrize(("workers", "depth"), [(0, 5), (1, 1), (2, 5), (4, 3)])
def test_items_are_read_no_further_than_the_depth_ahead(workers: int, depth: int) -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for i in range(40):
            read.append(i)
            yield i

    for received, _ in enumerate(work_ahead(items(), str, workers, depth), 1):
        assert len(read) - received <= depth
    assert len(read) == 40


def test_work_is_done_ahead_in_several_threads() -> None:
    together = threading.Barrier(3, timeout=10)

    def meet(item: int) -> str:
        together.wait()  # passes only when three items are in work at once
        return threading.current_thread().name

    names = list(work_ahead(range(3), meet, workers=3, depth=3))
    assert len(set(names)) == 3
    assert threading.current_thread().name not in names


def test_without_workers_the_caller_works() -> None:
    assert set(work_ahead(range(3), lambda _: threading.current_thread(), 0, depth=3)) == {threading.current_thread()}


@pytest.mark.parametrize("workers", [0, 2])
def test_an_exception_is_raised_where_its_result_is_due(workers: int) -> None:
    def invert(item: int) -> float:
        return 1 / item

    results = work_ahead([2, 1, 0, 4], invert, workers, depth=4)
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_an_exception_of_the_source_is_raised_too() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("index gone")

    with pytest.raises(OSError, match="index gone"):
        list(work_ahead(items(), str, 2, depth=2))


def test_whoever_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    results = work_ahead(range(1000), str, 2, depth=4)
    assert next(results) == "0"
    results.close()
    assert threading.active_count() == before
