"""One picture that tells a round of active learning: what was found, what to label next, how the model learned."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from workbench.candidates import Candidate, mistakes_per_image, spread
from workbench.gallery import legend
from workbench.log import read_run
from workbench.outputs import read_best_stage, read_training_curve
from workbench.plots import ALARM, CALM, INK, draw_curve, draw_scores
from workbench.round import Round, duration
from workbench.terms import TERMS
from workbench.tiles import MUTED, colour_of, show_tile, show_truth

PAGE: Final = "#f6f7f9"
CARD: Final = "#ffffff"
LINE: Final = "#e3e7ee"
GRID: Final = (3, 5)
PAIRS: Final = (4, 3)
"""Rows and columns where the truth stands beside each image."""

STRIP: Final = 8

_GAP: Final = 0.12
"""Between pairs, in widths of an image."""


def draw_overview(candidates: Sequence[Candidate], story: Round, file: Path) -> Path:
    """Writes the picture.

    Args:
        candidates: best mining score first.
        story: the whole round that they belong to.
        file: a PNG file.

    Returns:
        `file`.
    """
    names = story.class_names
    with rc_context(_STYLE):
        strip = 4.7 if story.paired else 2.7
        heights = [1.3, 7.9, strip, strip]
        figure = Figure(figsize=(18, sum(heights)), facecolor=PAGE)
        head, middle, first, last = _split(figure, 4, 1, height_ratios=heights)
        _draw_head(head, story, len(candidates), names)
        _draw_middle(middle, candidates, story, names)
        quarter = max(1, len(candidates) // 4)
        _draw_strip(first, "Label these first", ALARM, candidates[:STRIP], candidates[:quarter], story)
        _draw_strip(last, "These can wait", CALM, candidates[-STRIP:], candidates[-quarter:], story)
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
    training, _ = story.both
    terms, stage, seconds = TERMS[story.object_type], read_best_stage(training), read_run(training).seconds
    after = "" if seconds is None else f" after {duration(seconds)} of training"
    return f"{terms.short} {stage[terms.metric]:.3f}{after}"


def subtitle(story: Round, candidates: int) -> str:
    """The circumstances in one line."""
    training, mining = story.both
    train, val = (len(training.index_lines(name)) for name in ("training", "val"))
    algorithm, seconds = mining.config.get("mining_algorithm", "mining"), read_run(mining).seconds
    within = "" if seconds is None else f" in {duration(seconds)}"
    return (
        f"{train} training and {val} validation images   ·   "
        f"{candidates} unlabelled images: inference and {algorithm} mining{within}"
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


def _draw_middle(part: SubFigure, candidates: Sequence[Candidate], story: Round, names: Sequence[str]) -> None:
    """Predictions on the left, the curve and the scores on the right."""
    left, right = _split(part, 1, 2, width_ratios=[2.05, 1])
    inner = candidates[STRIP:-STRIP] or candidates
    shown = [each.tile for each in candidates if each.known]
    left.text(0.036, 0.965, "Found on unlabelled images", fontsize=16, weight="bold", va="center")
    left.text(0.99, 0.965, "   ·   ".join(legend(shown)), fontsize=12.5, color=MUTED, ha="right", va="center")
    (_draw_pairs if story.paired else _draw_grid)(left, inner, names)
    curve, scores = right.subplots(2, 1, gridspec_kw={**_margins(0.13, 0.84, 0.065, 0.93), "hspace": 0.38})
    draw_curve(curve, read_training_curve(story.both[0]), TERMS[story.object_type])
    draw_scores(scores, candidates, STRIP)


def _draw_grid(part: SubFigure, candidates: Sequence[Candidate], names: Sequence[str]) -> None:
    """Some of the tiles."""
    rows, columns = GRID
    place = {**_margins(0.036, 0.99, 0.02, 0.93), "wspace": 0.05, "hspace": 0.05}
    grid = _empty(part.subplots(rows, columns, gridspec_kw=place, squeeze=False))
    for axes, each in zip(grid.flat, spread(candidates, rows * columns), strict=False):
        show_tile(axes, each.tile, names)


def _draw_pairs(part: SubFigure, candidates: Sequence[Candidate], names: Sequence[str]) -> None:
    """Some of the tiles, each with the truth on its right."""
    rows, columns = PAIRS
    widths = ([1.0, 1.0, _GAP] * columns)[:-1]
    place = {**_margins(0.036, 0.99, 0.02, 0.9), "wspace": 0.04, "hspace": 0.05, "width_ratios": widths}
    grid = _empty(part.subplots(rows, len(widths), gridspec_kw=place, squeeze=False))
    for column in range(columns):
        for axes, text in zip(grid[0, 3 * column :], ("found", "truth"), strict=False):
            axes.set_title(text, fontsize=12, color=MUTED, pad=5)
    found, truth = grid[:, 0::3], grid[:, 1::3]
    for left, right, each in zip(found.flat, truth.flat, spread(candidates, rows * columns), strict=False):
        show_tile(left, each.tile, names)
        show_truth(right, each.tile, names)


def _draw_strip(
    part: SubFigure,
    title: str,
    colour: str,
    candidates: Sequence[Candidate],
    quarter: Sequence[Candidate],
    story: Round,
) -> None:
    """A row of tiles with their scores, and how often the model errs on the quarter that they stand for."""
    part.text(0.025, 0.945, title, fontsize=16, weight="bold", color=colour, va="center")
    mistakes = mistakes_per_image(quarter)
    if mistakes is not None:
        text = f"{TERMS[story.object_type].mistakes.format(mistakes)} in this quarter of the ranking"
        part.text(0.975, 0.945, text, fontsize=12.5, color=MUTED, ha="right", va="center")
    names, place = story.class_names, {**_margins(0.025, 0.975, 0.1, 0.87), "wspace": 0.05, "hspace": 0.05}
    grid = _empty(part.subplots(1 + story.paired, STRIP, gridspec_kw=place, squeeze=False))
    for axes, text in zip(grid[:, 0] if story.paired else (), ("found", "truth"), strict=False):
        axes.text(-0.05, 0.5, text, fontsize=12, color=MUTED, rotation=90, ha="center", va="center")
    for column, each in zip(grid.T, candidates, strict=False):
        show_tile(column[0], each.tile, names)
        if story.paired:
            show_truth(column[1], each.tile, names)
        column[-1].set_title(f"#{each.rank}   {each.score:.2f}", fontsize=11, color=MUTED, y=-0.13)


def _empty(grid: NDArray[Any]) -> NDArray[Any]:
    """Axes that show nothing where there are more than tiles."""
    for axes in grid.flat:
        axes.set_axis_off()
    return grid


def _split(parent: Figure | SubFigure, rows: int, columns: int, **ratios: list[float]) -> list[SubFigure]:
    """Cuts a figure into parts that show the page behind them."""
    grid = parent.add_gridspec(rows, columns, **ratios)
    parts = [parent.add_subfigure(grid[index]) for index in range(rows * columns)]
    for part in parts:
        part.set_facecolor("none")
    return parts


def _margins(left: float, right: float, bottom: float, top: float) -> dict[str, float]:
    return {"left": left, "right": right, "bottom": bottom, "top": top}
