"""Outcome of a loop: points as CSV, curves as picture and page, written after each training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from common.contract import PRIMARY_METRIC
from workbench.loop.curve import Row, areas, rows, write_points
from workbench.loop.drawing import write_drawings
from workbench.loop.rounds import Loop, Point
from workbench.loop.setup import Pool, Setup

CSV_FILE: Final = "curve.csv"
PICTURE_FILE: Final = "curve.svg"
PAGE_FILE: Final = "curve.html"


def run_loop(folder: Path, setup: Setup, pool: Pool, console: Console) -> None:
    """Runs a loop to its end and shows the table.

    Args:
        folder: gets the tasks and the outcome.
        setup: the rules.
        pool: the data.
        console: where progress and table are shown.

    Raises:
        LoopError: a step failed; what is known by then is written.
    """
    points: list[Point] = []
    for point in Loop(folder, setup, pool, console).points():
        points.append(point)
        write_outcome(points, setup, pool, folder)
    metric = PRIMARY_METRIC[setup.object_type]
    table = rows(points)
    console.print(_table(table, metric))
    for name, area in areas(table).items():
        console.print(f"mean height of the curve of {name}: {area:.3f}", highlight=False)
    for file in (PAGE_FILE, PICTURE_FILE, CSV_FILE):
        console.print(f"  {folder.resolve() / file}", markup=False, highlight=False, soft_wrap=True)


def write_outcome(points: Sequence[Point], setup: Setup, pool: Pool, folder: Path) -> None:
    """Writes CSV, picture and page of at least one point."""
    metric = PRIMARY_METRIC[setup.object_type]
    table = rows(points)
    write_points(points, folder / CSV_FILE)
    write_drawings(table, metric, setup, pool, folder / PICTURE_FILE, folder / PAGE_FILE)


def _table(table: Sequence[Row], metric: str) -> Table:
    shown = Table("algorithm", "images", "objects", metric, "worst to best", "over random", box=None)
    for row in table:
        span, gain = f"{row.low:.3f} to {row.high:.3f}", "" if row.gain is None else f"{row.gain:+.3f}"
        shown.add_row(row.algorithm, str(row.images), f"{row.objects:.0f}", f"{row.mean:.3f}", span, gain)
    return shown
