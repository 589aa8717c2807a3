"""Work ahead in threads, in order and with bounded memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

S = TypeVar("S")
R = TypeVar("R")


def work_ahead(
    items: Iterable[S], function: Callable[[S], R], workers: int | None = None, depth: int | None = None
) -> Iterator[R]:
    """`map(function, items)` with up to `depth` results computed before they are asked for.

    Decoders release the interpreter lock, so threads are enough; nothing is pickled or forked.

    Args:
        items: read lazily, never more than `depth` ahead.
        function: called in a thread; its exception is raised in place of its result.
        workers: number of threads; 0 = compute in the caller's thread, None = one per core that this process may use.
        depth: maximum number of items in flight; None = four per thread.
    """
    workers = len(os.sched_getaffinity(0)) if workers is None else workers
    depth = 4 * workers if depth is None else depth
    if workers == 0:
        yield from map(function, items)
        return
    source = iter(items)
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        try:
            pending.extend(pool.submit(function, item) for item in islice(source, depth))
            while pending:
                result = pending.popleft().result()
                pending.extend(pool.submit(function, item) for item in islice(source, 1))
                yield result
        finally:
            for future in pending:
                future.cancel()
