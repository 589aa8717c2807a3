"""Measure everything and write the results. `python -m benchmarks`; takes some minutes on 2 cores."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import machine, memory, mining, report, startup, throughput
from benchmarks.engine import Engine
from benchmarks.figure import Figure


def main() -> None:
    """Print each figure as soon as it is known. A missed bound is told, and is no failure."""
    logging.basicConfig(level=logging.WARNING)
    before = machine.describe()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for figure in _measured(Path(folder)):
            print(report.line(figure), flush=True)
            figures.append(figure)
    report.write(figures, before)


def _measured(folder: Path) -> Iterator[Figure]:
    """What needs no torch comes first: this process is still small, and its threads are not there yet."""
    for name, module in (("startup", startup), ("memory", memory)):
        (folder / name).mkdir()
        yield from module.measure(folder / name)
    engine = Engine.prepare(folder)
    yield throughput.measure(engine)
    yield from mining.measure(engine)


if __name__ == "__main__":
    main()
