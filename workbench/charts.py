"""Charts as SVG that take their colours from the page, so that they fit a light and a dark one."""

from collections.abc import Sequence
from html import escape
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
    for name, css, values in series:
        points = [(_x(x, low, high), _y(y, top)) for x, y in zip(xs, values, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        end_x, end_y = points[-1]
        parts.append(f'<polyline class="line {css}" points="{path}"><title>{escape(name)}</title></polyline>')
        parts.append(
            f'<text class="label {css}" x="{end_x + 6:.1f}" y="{end_y + 4:.1f}">{escape(name)} {values[-1]:.2f}</text>'
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
        f'<text class="tick" x="{_x(value, low, high):.1f}" y="{y}" text-anchor="middle">{value:.3g}</text>'
        for value in values
    )
    return f'{ticks}<text class="tick" x="{WIDTH - RIGHT + 6}" y="{y}" dx="14">{escape(label)}</text>'


def _svg(parts: Sequence[str]) -> Markup:
    return Markup(f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>')  # noqa: S704 every text in it is escaped
