"""The charts of the picture: how the model learned, and how the candidates scored."""

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes

from common.results.curve import Point
from workbench.candidates import Candidate
from workbench.charts import apart
from workbench.terms import Terms
from workbench.tiles import MUTED

INK: Final = "#18212f"
ACCENT: Final = "#2563eb"
ALARM: Final = "#e11d48"
CALM: Final = "#0d9488"

_LABEL: Final = 0.13
"""Least distance of the names of two lines, in units of the metrics."""


def draw_curve(axes: Axes, curve: Sequence[Point], terms: Terms) -> None:
    """How the metrics on validation and the loss went, by epoch or iteration."""
    _title(axes, "Training", f"{' and '.join(terms.curve)} on validation, by {terms.step}")
    if not curve:
        axes.text(0.5, 0.5, "no training-curve.csv", transform=axes.transAxes, ha="center", color=MUTED)
        return
    epochs = [epoch.step for epoch in curve]
    lines = [[epoch.first for epoch in curve], [epoch.second for epoch in curve]]
    places = apart([values[-1] for values in lines], _LABEL)
    for values, label, colour, y in zip(lines, terms.curve, (ACCENT, CALM), places, strict=True):
        axes.plot(epochs, values, color=colour, linewidth=2.6, solid_capstyle="round")
        axes.annotate(
            f" {label}\n {values[-1]:.2f}",
            (epochs[-1], y),
            color=colour,
            weight="bold",
            va="center",
            fontsize=11.5,
            annotation_clip=False,
        )
    loss = axes.twinx()
    loss.plot(epochs, [epoch.loss for epoch in curve], color="#a9b2c2", linewidth=1.8, linestyle=(0, (4, 2)), zorder=0)
    loss.set_axis_off()
    axes.plot([], [], color="#a9b2c2", linewidth=1.8, linestyle=(0, (4, 2)), label="loss (own scale)")
    axes.legend(loc="center right", frameon=False, labelcolor=MUTED, fontsize=11)
    axes.set(ylim=(0, 1.02), xlim=(epochs[0], max(epochs[-1], epochs[0] + 1)))
    axes.grid(axis="y")


def draw_scores(axes: Axes, candidates: Sequence[Candidate], ends: int) -> None:
    """The ranking, in which the first and the last `ends` candidates stand out."""
    _title(axes, "Mining scores", "images by score, most valuable first")
    ranked = [(each.rank, each.score) for each in candidates if each.score is not None]
    ranks, count = [rank for rank, _ in ranked], len(ranked)
    colours = [ALARM if rank <= ends else CALM if rank > count - ends else "#c3cad6" for rank in ranks]
    axes.bar(ranks, [score for _, score in ranked], width=0.8, color=colours)
    axes.set(xlim=(0, count + 1))
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def _title(axes: Axes, title: str, note: str) -> None:
    axes.set_title(title, loc="left", fontsize=16, weight="bold", color=INK, pad=24)
    axes.text(0, 1.035, note, transform=axes.transAxes, fontsize=12, color=MUTED, va="bottom")
