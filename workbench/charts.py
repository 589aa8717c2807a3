"""Charts as SVG that take their colours from the page, so that they fit a light and a dark one."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Final

import numpy as np
from markupsafe import Markup

WIDTH: Final = 640
HEIGHT: Final = 260
LEFT: Final = 44
RIGHT: Final = 104
TOP: Final = 12
BOTTOM: Final = 30

BINS: Final = 24
LABEL: Final = 15
"""The height of a line of text."""

_GRID_LINES: Final = 4


def line_chart(xs: Sequence[float], series: Sequence[tuple[str, str, Sequence[float]]], x_label: str) -> Markup:
    """Lines over a common x axis; y from 0 to 1, or to the biggest value if that is more.

    Args:
        xs: at least one value, ascending.
        series: name, CSS class and values of each line.
        x_label: what the x axis counts.
    """
    top = max(1.0, *(max(values) for _, _, values in series))
    low, high = xs[0], max(xs[-1], xs[0] + 1)
    parts = [_grid(top), _ticks([low, round((low + high) / 2), high], low, high, x_label)]
    labels = apart([_y(values[-1], top) for _, _, values in series], LABEL)
    for (name, css, values), label_y in zip(series, labels, strict=True):
        points = [(_x(x, low, high), _y(y, top)) for x, y in zip(xs, values, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="line {css}" points="{path}"><title>{escape(name)}</title></polyline>')
        parts.append(
            f'<text class="label {css}" x="{points[-1][0] + 6:.1f}" y="{label_y + 4:.1f}">'
            f"{escape(name)} {values[-1]:.2f}</text>"
        )
    return _svg(parts)


def histogram(values: Sequence[float], low: float, high: float, x_label: str) -> Markup:
    """How many of `values` fall into each of `BINS` equal steps from `low` to `high`."""
    counts, edges = np.histogram(values, bins=BINS, range=(low, high))
    top = max(_GRID_LINES, -(-int(counts.max()) // _GRID_LINES) * _GRID_LINES)
    parts = [_grid(top), _ticks([low, (low + high) / 2, high], low, high, x_label)]
    for count, start, end in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        x, y = _x(start, low, high), _y(count, top)
        width, height = _x(end, low, high) - x - 1.5, HEIGHT - BOTTOM - y
        title = f"{start:.2f} to {end:.2f}: {count}"
        parts.append(
            f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
            f"<title>{title}</title></rect>"
        )
    return _svg(parts)


def apart(places: Sequence[float], least: float) -> list[float]:
    """The places, the bigger ones moved up so that any two are `least` apart: where labels go that must not overlap."""
    moved = list(places)
    order = sorted(range(len(moved)), key=moved.__getitem__)
    for below, above in pairwise(order):
        moved[above] = max(moved[above], moved[below] + least)
    return moved


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _y(value: float, top: float) -> float:
    return TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)


def _grid(top: float) -> str:
    """Horizontal lines with their values, besides the one at 0."""
    rows = []
    for value in np.linspace(0, top, _GRID_LINES + 1).tolist():
        y = _y(value, top)
        rows.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        rows.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    return "".join(rows)


def _ticks(values: Sequence[float], low: float, high: float, label: str) -> str:
    y = HEIGHT - BOTTOM + 18
    ticks = "".join(
        f'<text class="tick" x="{_x(value, low, high):.1f}" y="{y}" text-anchor="middle">{_number(value)}</text>'
        for value in values
    )
    return f'{ticks}<text class="tick" x="{WIDTH - RIGHT + 6}" y="{y}" dx="20">{escape(label)}</text>'


def _number(value: float) -> str:
    """Three digits, and all of those before the point."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _svg(parts: Sequence[str]) -> Markup:
    return Markup(f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>')  # noqa: S704 every text in it is escaped
