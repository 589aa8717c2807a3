"""Learning curves of a loop as a chart, a standalone picture and a page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from markupsafe import Markup

from workbench.charts import Line, line_chart
from workbench.loop.curve import BASELINE, Row, areas
from workbench.loop.setup import Pool, Setup
from workbench.pages import filled

COLOURS: Final = ("#0d9488", "#d97706", "#8b5cf6", "#e11d48", "#3b82f6", "#65a30d")

_MOST_TICKS: Final = 12
"""Up to so many numbers of labels are all written below the axis."""


def draw_curve(table: Sequence[Row]) -> Markup:
    """A line per algorithm, and with several seeds a band from the worst to the best.

    Args:
        table: at least one row.
    """
    names = list(dict.fromkeys(row.algorithm for row in table))
    others = [name for name in names if name != BASELINE]
    colours = {BASELINE: "var(--third)"} | dict(zip(others, COLOURS * len(others), strict=False))
    counts = sorted({row.images for row in table})
    lines = [_line(name, [row for row in table if row.algorithm == name], colours[name]) for name in names]
    return line_chart(lines, "images", counts if len(counts) <= _MOST_TICKS else ())


def write_drawings(table: Sequence[Row], metric: str, setup: Setup, pool: Pool, picture: Path, page: Path) -> None:
    """Writes the curves as an SVG file, and as an HTML file with the table and the rules of the loop.

    Args:
        table: at least one row.
        metric: the one in the table.
        setup: the rules.
        pool: the data.
        picture: the SVG file.
        page: the HTML file.
    """
    content = {"chart": draw_curve(table), "metric": metric, "setup": setup, "pool": pool}
    seeds = max(row.seeds for row in table)
    picture.write_text(filled("loop.svg.j2", **content), encoding="utf-8")
    page.write_text(filled("loop.html.j2", table=table, areas=areas(table), seeds=seeds, **content), encoding="utf-8")


def _line(name: str, part: Sequence[Row], colour: str) -> Line:
    span = [(row.low, row.high) for row in part] if any(row.seeds > 1 for row in part) else ()
    return Line(name, colour, [(row.images, row.mean) for row in part], span)
