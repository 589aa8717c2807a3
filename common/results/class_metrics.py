"""class-metrics.csv: metrics of the best stage, one line per class, for people to read."""

import csv
import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.contract import ObjectType
from common.files import write_text

log = logging.getLogger(__name__)

CLASS_FILE: Final = "class-metrics.csv"
"""File below the output root."""

COLUMNS: Final = {
    ObjectType.DETECTION: ("AP50", "AP50_95", "objects"),
    ObjectType.SEMANTIC: ("IoU", "accuracy", "pixels"),
    ObjectType.INSTANCE: ("maskAP50", "maskAP50_95", "objects"),
}
"""Names of `ClassMetrics.first`, `second` and `count`. The means of the first two rank models, see `RANKED_BY`."""

MOST_LOGGED: Final = 20
"""Maximum number of classes in the log."""


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    """Metrics of one class.

    Attributes:
        name: name of the class.
        first, second: see `COLUMNS`, in [0, 1]; None if the validation set has nothing to measure them by.
        count: true objects, or pixels, of the class in the validation set.
    """

    name: str
    first: float | None
    second: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Result of a validation.

    Attributes:
        metrics: metrics of all classes together, by the names that a stage has for them.
        classes: metrics by class index.
    """

    metrics: dict[str, float]
    classes: tuple[ClassMetrics, ...]


def write_classes(path: Path, classes: Iterable[ClassMetrics], object_type: ObjectType) -> None:
    """Replace the table.

    Args:
        path: the file.
        classes: metrics by class index.
        object_type: determines the names of the columns.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("class", *COLUMNS[object_type]))
    writer.writerows((each.name, _cell(each.first), _cell(each.second), each.count) for each in classes)
    write_text(path, text.getvalue(), durable=False)


def read_classes(path: Path) -> list[ClassMetrics]:
    """Read the table; empty if there is none."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    return [ClassMetrics(name, _value(first), _value(second), int(count)) for name, first, second, count in rows]


def worst_first(classes: Iterable[ClassMetrics]) -> list[ClassMetrics]:
    """Sort by the first metric; classes without it come last."""
    return sorted(classes, key=lambda each: (each.first is None, each.first or 0.0))


def log_classes(path: Path, object_type: ObjectType) -> None:
    """Log the table, because people can still read the log when the platform has removed the file.

    Args:
        path: the file; nothing is logged if there is none.
        object_type: determines the names of the columns.
    """
    classes = worst_first(read_classes(path))
    if not classes:
        return
    log.info("the best model by class, the worst first:")
    for line in _lines(classes[:MOST_LOGGED], COLUMNS[object_type]):
        log.info("  %s", line)
    if len(classes) > MOST_LOGGED:
        log.info("  and %d other classes", len(classes) - MOST_LOGGED)


def _lines(classes: Sequence[ClassMetrics], columns: Sequence[str]) -> list[str]:
    """Format the table. Names come last, because their width on a terminal is unknown."""
    rows = [tuple(columns), *((_short(each.first), _short(each.second), str(each.count)) for each in classes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    names = ["class", *(each.name for each in classes)]
    cells = ("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return [f"{numbers}  {name}" for numbers, name in zip(cells, names, strict=True)]


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _value(cell: str) -> float | None:
    return float(cell) if cell else None
