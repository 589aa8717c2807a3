"""Learning curves of a loop as numbers: the metric over the labels, over all seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from workbench.loop.rounds import Point

COLUMNS: Final = ("algorithm", "seed", "round", "images", "objects", "metric")
BASELINE: Final = "random"


@dataclass(frozen=True, slots=True)
class Row:
    """All seeds of one algorithm after one round.

    Attributes:
        algorithm: the one that chose the images.
        round: 0 = before anything was mined.
        images: with labels.
        objects: on them, mean over the seeds.
        mean, low, high: metric over the seeds.
        seeds: number of seeds.
        gain: mean advantage over random with the same seed; None without random.
    """

    algorithm: str
    round: int
    images: int
    objects: float
    mean: float
    low: float
    high: float
    seeds: int
    gain: float | None


def rows(points: Iterable[Point]) -> list[Row]:
    """The points of each algorithm and round together, algorithms in the order of their first points."""
    groups: dict[tuple[str, int], list[Point]] = {}
    for point in points:
        groups.setdefault((point.algorithm, point.round), []).append(point)
    order = list(dict.fromkeys(algorithm for algorithm, _ in groups))
    keys = sorted(groups, key=lambda key: (order.index(key[0]), key[1]))
    return [_row(groups[key], groups.get((BASELINE, key[1]), [])) for key in keys]


def areas(table: Sequence[Row]) -> dict[str, float]:
    """The mean height of each algorithm's curve, 0 to 1: one number for a whole curve. It needs two points or more."""
    found = {}
    for algorithm in dict.fromkeys(row.algorithm for row in table):
        part = [row for row in table if row.algorithm == algorithm]
        if len(part) > 1:
            xs, ys = [row.images for row in part], [row.mean for row in part]
            found[algorithm] = float(np.trapezoid(ys, xs) / (xs[-1] - xs[0]))
    return found


def write_points(points: Iterable[Point], file: Path) -> None:
    """Writes a CSV file with a line per point."""
    lines = [",".join(COLUMNS)]
    lines += [",".join(str(getattr(point, name)) for name in COLUMNS) for point in points]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _row(points: Sequence[Point], baseline: Sequence[Point]) -> Row:
    metrics = [point.metric for point in points]
    random = {point.seed: point.metric for point in baseline}
    gains = [point.metric - random[point.seed] for point in points if point.seed in random]
    return Row(
        algorithm=points[0].algorithm,
        round=points[0].round,
        images=points[0].images,
        objects=float(np.mean([point.objects for point in points])),
        mean=float(np.mean(metrics)),
        low=min(metrics),
        high=max(metrics),
        seeds=len(points),
        gain=float(np.mean(gains)) if gains and points[0].algorithm != BASELINE else None,
    )
