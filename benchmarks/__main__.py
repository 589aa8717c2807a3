"""Measure everything and write the results. `python -m benchmarks`; takes some minutes on 2 cores."""

import logging
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import memory, mining, report, startup, throughput
from benchmarks.engine import Engine
from benchmarks.figure import Figure
from benchmarks.machine import Others, describe


def main() -> None:
    """Print each figure as soon as it is known. A missed bound is reported, and is not a failure."""
    logging.basicConfig(level=logging.WARNING)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for measure in _measurements(Path(folder)):
            others = Others()
            for figure in list(measure()):
                figures.append(replace(figure, others=others.cores()))
                print(report.line(figures[-1]), flush=True)
    report.write(figures, describe())


def _measurements(folder: Path) -> Iterator[Callable[[], Iterator[Figure]]]:
    """Modules in order: those without torch first, while this process is small and has no threads."""
    for name, module in (("startup", startup), ("memory", memory)):
        (folder / name).mkdir()
        yield partial(module.measure, folder / name)
    engine = Engine.prepare(folder)
    yield partial(throughput.measure, engine)
    for algorithm in mining.ROUNDS:
        yield partial(mining.measure, engine, algorithm)


if __name__ == "__main__":
    main()
