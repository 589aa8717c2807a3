"""One candidate as a square of the picture: the image, its detections, and what was missed."""

from collections.abc import Sequence
from typing import Any, Final

import cv2
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle

from workbench.frame import Frame
from workbench.gallery import Tile
from workbench.sample import Pixels

MUTED: Final = "#667085"
SEAM: Final = "#0b1220"
CARD: Final = "#e9ecf1"
CLASS_COLOURS: Final = ("#38bdf8", "#facc15", "#fb7185", "#4ade80", "#c084fc", "#fb923c")
"""One colour a class, in the order of the class indices; they repeat after the last."""

MOST_LABELS: Final = 8
"""On more crowded tiles the scores would hide the image."""

_UPSCALE: Final = 2


def colour_of(index: int) -> str:
    """The colour of class `index`."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def show_tile(axes: Axes, tile: Tile, names: Sequence[str]) -> None:
    """Draws an image into a rounded square: detections in the colour of their class (dashed: wrong), missed ones white.

    Args:
        axes: cleared and scaled to 1 x 1 here.
        tile: what to draw.
        names: the classes in the order of their indices.
    """
    axes.set_axis_off()
    card = FancyBboxPatch((0.03, 0.03), 0.94, 0.94, boxstyle="round,pad=0.03,rounding_size=0.05", lw=0, fc=CARD)
    axes.add_patch(card)
    if tile.image is None:
        axes.text(0.5, 0.5, "cannot be\ndecoded", ha="center", va="center", color=MUTED, fontsize=11)
    else:
        scale = _show_image(axes, tile.image, card)
        _show_boxes(axes, tile, names, scale)
    axes.set(xlim=(0, 1), ylim=(1, 0), aspect="equal")


class Scale:
    """Pixels of an image to the unit square that it is centred in."""

    def __init__(self, height: int, width: int) -> None:
        self.factor = 1 / max(height, width)
        self.left = (1 - width * self.factor) / 2
        self.top = (1 - height * self.factor) / 2

    def __call__(self, box: Sequence[float]) -> list[float]:
        """The corners `x1, y1, x2, y2` in the square."""
        shift = (self.left, self.top, self.left, self.top)
        return [value * self.factor + offset for value, offset in zip(box, shift, strict=True)]


def _show_image(axes: Axes, image: Pixels, card: FancyBboxPatch) -> Scale:
    """Draws the image, clipped to the round corners of `card`."""
    scale = Scale(*image.shape[:2])
    pixels = cv2.resize(image, None, fx=_UPSCALE, fy=_UPSCALE, interpolation=cv2.INTER_CUBIC)
    extent = (scale.left, 1 - scale.left, 1 - scale.top, scale.top)
    axes.imshow(pixels[..., ::-1], extent=extent, zorder=1).set_clip_path(card)
    return scale


def _show_boxes(axes: Axes, tile: Tile, names: Sequence[str], scale: Scale) -> None:
    for frame in tile.missed:
        _outline(axes, frame, scale, "#ffffff", dashed=True)
    rows = zip(tile.frames, tile.found.names, tile.found.scores.tolist(), strict=True)
    for index, (frame, name, score) in enumerate(rows):
        colour = colour_of(names.index(name))
        _outline(axes, frame, scale, colour, dashed=tile.is_wrong(index))
        if len(tile.found.names) <= MOST_LABELS:
            _label(axes, scale(frame.top), colour, f"{score:.2f}".lstrip("0"))


def _outline(axes: Axes, frame: Frame, scale: Scale, colour: str, *, dashed: bool) -> None:
    """A rectangle on a dark seam, so that it stands out from any background."""
    x1, y1, x2, y2 = scale(frame.corners)
    place: dict[str, Any] = {"angle": frame.degrees, "rotation_point": "center", "fill": False, "zorder": 2}
    for line, alpha, edge, style in ((3.6, 0.55, SEAM, "-"), (1.9, 1, colour, (0, (3, 2)) if dashed else "-")):
        axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, lw=line, alpha=alpha, ec=edge, ls=style, **place))


def _label(axes: Axes, top: Sequence[float], colour: str, text: str) -> None:
    """A small flag where the upper edge of a box begins, or at its uppermost corner."""
    flag = {"facecolor": colour, "edgecolor": "none", "pad": 1.2}
    x, y = min(top[0] + 0.012, 0.93), max(top[1], 0.03)
    axes.text(x, y, text, fontsize=8, color=SEAM, weight="bold", va="center", bbox=flag, zorder=3)
