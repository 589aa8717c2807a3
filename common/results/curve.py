"""training-curve.csv: one line a validated epoch, the same columns for every image, for people and reports."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from common.files import write_text

CURVE_FILE = "training-curve.csv"
"""Below the output root."""

COLUMNS = ("epoch", "mAP", "mAP50_95", "loss")


@dataclass(frozen=True, slots=True)
class Point:
    """What is known of one epoch.

    Attributes:
        epoch: counted from 1.
        map50, map50_95: average precision at IoU 0.5, and averaged over IoU 0.5 to 0.95.
        loss: mean total loss of the epoch in training.
    """

    epoch: int
    map50: float
    map50_95: float
    loss: float


def write_curve(path: Path, points: Iterable[Point]) -> None:
    """Replace the curve."""
    lines = [f"{p.epoch},{p.map50:.6g},{p.map50_95:.6g},{p.loss:.6g}" for p in points]
    write_text(path, "\n".join([",".join(COLUMNS), *lines]) + "\n", durable=False)


def read_curve(path: Path) -> list[Point]:
    """The curve so far; empty where there is none."""
    if not path.is_file():
        return []
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [Point(int(row["epoch"]), *(float(row[name]) for name in COLUMNS[1:])) for row in rows]


def add_point(path: Path, point: Point) -> None:
    """Add an epoch; a restarted training does its last one again, so that later ones are dropped."""
    write_curve(path, [*(earlier for earlier in read_curve(path) if earlier.epoch < point.epoch), point])
