"""One picture that tells a round of active learning: what was found, what to label next, how the model learned."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.ticker import PercentFormatter

from workbench.gallery import Tile, mistakes_per_image, spread
from workbench.outputs import Epoch, read_best_stage, read_curve
from workbench.round import Round, duration

PAGE: Final = "#f6f7f9"
CARD: Final = "#ffffff"
INK: Final = "#18212f"
MUTED: Final = "#667085"
LINE: Final = "#e3e7ee"
ACCENT: Final = "#2563eb"
ALARM: Final = "#e11d48"
CALM: Final = "#0d9488"
CLASS_COLOURS: Final = ("#38bdf8", "#facc15", "#fb7185", "#4ade80", "#c084fc", "#fb923c")
"""One colour a class, in the order of the class indices; they repeat after the last."""

GRID: Final = (3, 5)
STRIP: Final = 8
UPSCALE: Final = 2

LEGEND: Final = "dashed: wrong   ·   white: missed"

MOST_LABELS: Final = 8
"""On more crowded tiles the scores would hide the image."""


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
    with plt.rc_context(_STYLE):
        figure = plt.figure(figsize=(18, 14.6), facecolor=PAGE)
        head, middle, first, last = figure.subfigures(4, 1, height_ratios=[1.3, 7.9, 2.7, 2.7])
        for part in (head, middle, first, last):
            part.set_facecolor("none")
        _draw_head(head, story, len(tiles), names)
        _draw_middle(middle, tiles, story, names)
        quarter = max(1, len(tiles) // 4)
        _draw_strip(first, "Label these first", ALARM, tiles[:STRIP], tiles[:quarter], names)
        _draw_strip(last, "These can wait", CALM, tiles[-STRIP:], tiles[-quarter:], names)
        figure.savefig(file, dpi=110, facecolor=PAGE)
        plt.close(figure)
    return file


_STYLE: Final[dict[str, Any]] = {
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
    left, right = part.subfigures(1, 2, width_ratios=[2.05, 1])
    for side in (left, right):
        side.set_facecolor("none")
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
    curve, scores = right.subplots(2, 1, gridspec_kw={**_margins(0.13, 0.86, 0.065, 0.93), "hspace": 0.38})
    _draw_curve(curve, read_curve(story.training))
    _draw_scores(scores, tiles)


def _draw_curve(axes: Axes, curve: Sequence[Epoch]) -> None:
    _title(axes, "Training", "average precision on validation, by epoch")
    if not curve:
        axes.text(0.5, 0.5, "no training-curve.csv", transform=axes.transAxes, ha="center", color=MUTED)
        return
    epochs = [epoch.number for epoch in curve]
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


def show_tile(axes: Axes, tile: Tile, names: Sequence[str]) -> None:
    """Draws an image into a rounded square, with its detections and the objects that were missed."""
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(1, 0), aspect="equal")
    card = FancyBboxPatch((0.03, 0.03), 0.94, 0.94, boxstyle="round,pad=0.03,rounding_size=0.05", lw=0, fc="#e9ecf1")
    axes.add_patch(card)
    if tile.image is None:
        axes.text(0.5, 0.5, "cannot be\ndecoded", ha="center", va="center", color=MUTED, fontsize=11)
        return
    height, width = tile.image.shape[:2]
    scale = 1 / max(height, width)
    x0, y0 = (1 - width * scale) / 2, (1 - height * scale) / 2
    pixels = cv2.resize(tile.image, None, fx=UPSCALE, fy=UPSCALE, interpolation=cv2.INTER_CUBIC)
    shown = axes.imshow(
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), extent=(x0, 1 - x0, 1 - y0, y0), interpolation="antialiased", zorder=1
    )
    shown.set_clip_path(card)
    axes.set(xlim=(0, 1), ylim=(1, 0))
    for box in tile.missed_boxes:
        _outline(axes, [v * scale for v in box], (x0, y0), "#ffffff", (0, (3, 2)))
    for index, (box, name, score) in enumerate(
        zip(tile.found.boxes.tolist(), tile.found.names, tile.found.scores, strict=True)
    ):
        colour = colour_of(names.index(name))
        corners = [v * scale for v in box]
        _outline(axes, corners, (x0, y0), colour, (0, (3, 2)) if tile.is_wrong(index) else "-")
        if len(tile.found.names) <= MOST_LABELS:
            _label(axes, corners, (x0, y0), colour, f"{score:.2f}".lstrip("0"))


def colour_of(index: int) -> str:
    """The colour of class `index`."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def _outline(axes: Axes, box: Sequence[float], origin: tuple[float, float], colour: str, style: Any) -> None:
    """A rectangle on a dark seam, so that it stands out from any background."""
    x1, y1, x2, y2 = box
    corner = (origin[0] + x1, origin[1] + y1)
    for width, edge, line in ((3.6, "#0b1220", "-"), (1.9, colour, style)):
        alpha = 0.55 if line == "-" and edge == "#0b1220" else 1.0
        axes.add_patch(
            Rectangle(corner, x2 - x1, y2 - y1, fill=False, lw=width, ec=edge, ls=line, alpha=alpha, zorder=2)
        )


def _label(axes: Axes, box: Sequence[float], origin: tuple[float, float], colour: str, text: str) -> None:
    x, y = origin[0] + box[0], origin[1] + box[1]
    pad = {"facecolor": colour, "edgecolor": "none", "pad": 1.2}
    axes.text(
        x + 0.012, max(y, 0.03), text, fontsize=8, color="#0b1220", weight="bold", va="center", bbox=pad, zorder=3
    )


def _title(axes: Axes, title: str, note: str) -> None:
    axes.set_title(title, loc="left", fontsize=16, weight="bold", color=INK, pad=24)
    axes.text(0, 1.035, note, transform=axes.transAxes, fontsize=12, color=MUTED, va="bottom")


def _margins(left: float, right: float, bottom: float, top: float) -> dict[str, float]:
    return {"left": left, "right": right, "bottom": bottom, "top": top}
