"""Charts as SVG that take their colours from the page, so that they fit a light and a dark one."""

from collections.abc import Sequence
from dataclasses import dataclass
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

MARKED: Final = 12
"""A line of at most so many points has a dot at each."""

_GRID_LINES: Final = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart.

    Attributes:
        name: its label.
        colour: as CSS writes it; may be a variable of the page, `var(--first)`.
        points: `x, y` each, at least one, x ascending.
        span: the lowest and the highest value at each point; empty = no band is drawn.
    """

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    span: Sequence[tuple[float, float]] = ()


def line_chart(lines: Sequence[Line], x_label: str, ticks: Sequence[float] = ()) -> Markup:
    """Lines over a common x axis; y from 0 to 1, or to the largest value if that is more.

    Args:
        lines: at least one.
        x_label: what the x axis counts.
        ticks: values that the x axis names; by default its ends and its middle.
    """
    xs, ys = ([point[axis] for line in lines for point in line.points] for axis in (0, 1))
    low, top = min(xs), max(1.0, *ys)
    high = max(*xs, low + 1)
    parts = [_grid(top), _ticks(ticks or [low, round((low + high) / 2), high], low, high, x_label)]
    labels = apart([_y(line.points[-1][1], top) for line in lines], LABEL)
    for line, label_y in zip(lines, labels, strict=True):
        parts.append(f'<g style="--tone: {line.colour}"><title>{escape(line.name)}</title>')
        xs = [_x(x, low, high) for x, _ in line.points]
        if line.span:
            lows, highs = ([_y(bounds[end], top) for bounds in line.span] for end in (0, 1))
            outline = _path([*zip(xs, lows, strict=True), *reversed([*zip(xs, highs, strict=True)])])
            parts.append(f'<polygon class="span" points="{outline}"/>')
        points = [*zip(xs, [_y(y, top) for _, y in line.points], strict=True)]
        parts.append(f'<polyline class="line" points="{_path(points)}"/>')
        if len(points) <= MARKED:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points]
        text = f"{escape(line.name)} {line.points[-1][1]:.2f}"
        parts.append(f'<text class="label" x="{xs[-1] + 8:.1f}" y="{label_y + 4:.1f}">{text}</text></g>')
    return _svg(parts)


def histogram(values: Sequence[float], low: float, high: float, x_label: str) -> Markup:
    """Histogram of `values` in `BINS` equal steps from `low` to `high`."""
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
    """Places of labels, moved up so that any two are at least `least` apart."""
    moved = list(places)
    order = sorted(range(len(moved)), key=moved.__getitem__)
    for below, above in pairwise(order):
        moved[above] = max(moved[above], moved[below] + least)
    return moved


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


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
