"""One picture that tells a round of active learning: what was found, what to label next, how the model learned."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from common.results.curve import Point
from workbench.gallery import Tile, mistakes_per_image, spread
from workbench.outputs import read_best_stage, read_training_curve
from workbench.round import Round, duration
from workbench.tiles import MUTED, colour_of, show_tile

PAGE: Final = "#f6f7f9"
CARD: Final = "#ffffff"
INK: Final = "#18212f"
LINE: Final = "#e3e7ee"
ACCENT: Final = "#2563eb"
ALARM: Final = "#e11d48"
CALM: Final = "#0d9488"
GRID: Final = (3, 5)
STRIP: Final = 8
LEGEND: Final = "dashed: wrong   ·   white: missed"


def draw_overview(tiles: Sequence[Tile], story: Round, file: Path) -> Path:
    """Writes the picture.

    Args:
        tiles: the candidates, best mining score first.
        story: the round that they belong to.
        file: a PNG file.

    Returns:
        `file`.
    """
    names = story.training.class_names
    with rc_context(_STYLE):
        figure = Figure(figsize=(18, 14.6), facecolor=PAGE)
        head, middle, first, last = _split(figure, 4, 1, height_ratios=[1.3, 7.9, 2.7, 2.7])
        _draw_head(head, story, len(tiles), names)
        _draw_middle(middle, tiles, story, names)
        quarter = max(1, len(tiles) // 4)
        _draw_strip(first, "Label these first", ALARM, tiles[:STRIP], tiles[:quarter], names)
        _draw_strip(last, "These can wait", CALM, tiles[-STRIP:], tiles[-quarter:], names)
        figure.savefig(file, dpi=110)
    return file


_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.facecolor": CARD,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": LINE,
    "font.size": 12,
}


def headline(story: Round) -> str:
    """The result in one line."""
    stage = read_best_stage(story.training)
    return f"AP50 {stage['mAP']:.3f} after {duration(story.training_seconds)} of training"


def subtitle(story: Round, candidates: int) -> str:
    """The circumstances in one line."""
    train, val = (len(story.training.index_lines(name)) for name in ("training", "val"))
    algorithm = story.candidates.config.get("mining_algorithm", "mining")
    return (
        f"{train} training and {val} validation images   ·   "
        f"{candidates} unlabelled images: inference and {algorithm} mining in {duration(story.candidate_seconds)}"
    )


def _draw_head(part: SubFigure, story: Round, candidates: int, names: Sequence[str]) -> None:
    part.text(0.025, 0.62, headline(story), fontsize=30, weight="bold", va="center")
    part.text(0.025, 0.2, subtitle(story, candidates), fontsize=14.5, color=MUTED, va="center")
    x = 0.975
    for index in reversed(range(len(names))):
        label = part.text(x, 0.62, names[index], fontsize=14, ha="right", va="center")
        x = label.get_window_extent().x0 / part.bbox.width - 0.012
        part.text(x, 0.62, "■", fontsize=19, color=colour_of(index), ha="right", va="center")
        x -= 0.032


def _draw_middle(part: SubFigure, tiles: Sequence[Tile], story: Round, names: Sequence[str]) -> None:
    """Predictions on the left, the curve and the scores on the right."""
    left, right = _split(part, 1, 2, width_ratios=[2.05, 1])
    rows, columns = GRID
    grid = left.subplots(
        rows, columns, gridspec_kw={**_margins(0.036, 0.99, 0.02, 0.93), "wspace": 0.05, "hspace": 0.05}
    )
    left.text(0.036, 0.965, "Found on unlabelled images", fontsize=16, weight="bold", va="center")
    if story.truth:
        left.text(0.99, 0.965, LEGEND, fontsize=12.5, color=MUTED, ha="right", va="center")
    inner = tiles[STRIP:-STRIP] or tiles
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, tile in zip(grid.flat, spread(inner, rows * columns), strict=False):
        show_tile(axes, tile, names)
    curve, scores = right.subplots(2, 1, gridspec_kw={**_margins(0.13, 0.84, 0.065, 0.93), "hspace": 0.38})
    _draw_curve(curve, read_training_curve(story.training))
    _draw_scores(scores, tiles)


def _draw_curve(axes: Axes, curve: Sequence[Point]) -> None:
    _title(axes, "Training", "average precision on validation, by epoch")
    if not curve:
        axes.text(0.5, 0.5, "no training-curve.csv", transform=axes.transAxes, ha="center", color=MUTED)
        return
    epochs = [epoch.epoch for epoch in curve]
    for values, label, colour in (
        ([epoch.map50 for epoch in curve], "AP50", ACCENT),
        ([epoch.map50_95 for epoch in curve], "AP50:95", CALM),
    ):
        axes.plot(epochs, values, color=colour, linewidth=2.6, solid_capstyle="round")
        axes.annotate(
            f" {label}\n {values[-1]:.2f}",
            (epochs[-1], values[-1]),
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
    axes.set(ylim=(0, 1.02), xlim=(min(epochs), max(epochs)))
    axes.grid(axis="y")


def _draw_scores(axes: Axes, tiles: Sequence[Tile]) -> None:
    _title(axes, "Mining scores", "images by score, most valuable first")
    scores = [tile.score for tile in tiles]
    colours = [ALARM if tile.rank <= STRIP else CALM if tile.rank > len(tiles) - STRIP else "#c3cad6" for tile in tiles]
    axes.bar([tile.rank for tile in tiles], scores, width=0.8, color=colours)
    axes.set(xlim=(0, len(tiles) + 1))
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def _draw_strip(
    part: SubFigure, title: str, colour: str, tiles: Sequence[Tile], quarter: Sequence[Tile], names: Sequence[str]
) -> None:
    """A row of tiles with their scores, and how often the model errs on the quarter that they stand for."""
    part.text(0.025, 0.945, title, fontsize=16, weight="bold", color=colour, va="center")
    mistakes = mistakes_per_image(quarter)
    if mistakes is not None:
        text = f"{mistakes:.1f} mistakes per image in this quarter of the ranking"
        part.text(0.975, 0.945, text, fontsize=12.5, color=MUTED, ha="right", va="center")
    row = part.subplots(1, STRIP, gridspec_kw={**_margins(0.025, 0.975, 0.1, 0.87), "wspace": 0.05})
    for axes in row.flat:
        axes.set_axis_off()
    for axes, tile in zip(row.flat, tiles, strict=False):
        show_tile(axes, tile, names)
        axes.set_title(f"#{tile.rank}   {tile.score:.2f}", fontsize=11, color=MUTED, y=-0.13)


def _split(parent: Figure | SubFigure, rows: int, columns: int, **ratios: list[float]) -> list[SubFigure]:
    """Cuts a figure into parts that show the page behind them."""
    grid = parent.add_gridspec(rows, columns, **ratios)
    parts = [parent.add_subfigure(grid[index]) for index in range(rows * columns)]
    for part in parts:
        part.set_facecolor("none")
    return parts


def _title(axes: Axes, title: str, note: str) -> None:
    axes.set_title(title, loc="left", fontsize=16, weight="bold", color=INK, pad=24)
    axes.text(0, 1.035, note, transform=axes.transAxes, fontsize=12, color=MUTED, va="bottom")


def _margins(left: float, right: float, bottom: float, top: float) -> dict[str, float]:
    return {"left": left, "right": right, "bottom": bottom, "top": top}
