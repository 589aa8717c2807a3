"""Learning curves of a loop as a picture and a page."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from workbench.loop.curve import BASELINE, Row, areas
from workbench.loop.setup import Pool, Setup

TEMPLATE: Final = "page.html.j2"
COLOURS: Final = ("#0f766e", "#b45309", "#6d28d9", "#be123c", "#1d4ed8", "#4d7c0f")
GREY: Final = "#6b7280"
"""Of random, the baseline."""

_MOST_TICKS: Final = 12
"""So many numbers of labels are all written below the axis."""


def draw_curve(table: Sequence[Row], metric: str, title: str) -> bytes:
    """A PNG: a line for each algorithm, and where there are several seeds a band from the worst to the best.

    Args:
        table: at least one row.
        metric: what is drawn.
        title: on which data, by which image.
    """
    figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    names = list(dict.fromkeys(row.algorithm for row in table))
    colours = dict(zip([name for name in names if name != BASELINE], COLOURS * len(names), strict=False))
    for name in names:
        part = [row for row in table if row.algorithm == name]
        xs, colour = [row.images for row in part], colours.get(name, GREY)
        axes.plot(xs, [row.mean for row in part], marker="o", markersize=5, linewidth=2, color=colour, label=name)
        if any(row.seeds > 1 for row in part):
            low, high = [row.low for row in part], [row.high for row in part]
            axes.fill_between(xs, low, high, color=colour, alpha=0.14, linewidth=0)
    axes.set(xlabel="images with labels", ylabel=f"{metric} on validation images", title=title)
    axes.set_ylim(bottom=0)
    counts = sorted({row.images for row in table})
    axes.xaxis.set_major_locator(FixedLocator(counts) if len(counts) <= _MOST_TICKS else MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e7eb")
    axes.legend(frameon=False, loc="lower right")
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def write_page(table: Sequence[Row], picture: bytes, metric: str, setup: Setup, pool: Pool, file: Path) -> None:
    """One HTML file: the picture, the table, and the rules of the loop.

    Args:
        table: at least one row.
        picture: what `draw_curve` gave.
        metric: what the table is about.
        setup: the rules.
        pool: the data.
        file: the page.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(TEMPLATE).render(
        table=table,
        areas=areas(table),
        picture=base64.b64encode(picture).decode("ascii"),
        metric=metric,
        setup=setup,
        pool=pool,
        seeds=max(row.seeds for row in table),
    )
    file.write_text(page, encoding="utf-8")
