"""training-curve.csv: one line per validation, for people; every image of an object type has the same columns."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from common.contract import ObjectType
from common.files import write_text
from common.results.training import RANKED_BY

CURVE_FILE = "training-curve.csv"
"""File below the output root."""


@dataclass(frozen=True, slots=True)
class Point:
    """Result of one validation.

    Attributes:
        step: epoch or iteration of the validation, counted from 1.
        first, second: metrics that rank models, see `training.RANKED_BY`.
        loss: mean total loss of the training since the previous validation.
    """

    step: int
    first: float
    second: float
    loss: float


def write_curve(path: Path, points: Iterable[Point], object_type: ObjectType, unit: str = "epoch") -> None:
    """Replace the curve.

    Args:
        path: the file.
        points: validations in the order of the training.
        object_type: determines the names of the metrics.
        unit: name of a step: `epoch` or `iteration`.
    """
    lines = [f"{p.step},{p.first:.6g},{p.second:.6g},{p.loss:.6g}" for p in points]
    header = ",".join([unit, *RANKED_BY[object_type], "loss"])
    write_text(path, "\n".join([header, *lines]) + "\n", durable=False)


def read_curve(path: Path) -> list[Point]:
    """Read the curve so far; empty if there is none."""
    if not path.is_file():
        return []
    rows = csv.reader(path.read_text(encoding="utf-8").splitlines()[1:])
    return [Point(int(step), *map(float, rest)) for step, *rest in rows]


def add_point(path: Path, point: Point, object_type: ObjectType, unit: str = "epoch") -> None:
    """Add a validation and drop later ones, because a restarted training repeats its last steps."""
    earlier = [each for each in read_curve(path) if each.step < point.step]
    write_curve(path, [*earlier, point], object_type, unit)
