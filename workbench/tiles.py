"""One candidate as a square of the picture: the image with what was found, or with what really is on it."""

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Patch, PathPatch, Rectangle
from matplotlib.path import Path as MatplotlibPath

from workbench.gallery import Shape, Tile, shapes
from workbench.sample import Pixels
from workbench.silhouette import Silhouette

MUTED: Final = "#667085"
SEAM: Final = "#0b1220"
CARD: Final = "#e9ecf1"
CLASS_COLOURS: Final = ("#38bdf8", "#facc15", "#fb7185", "#4ade80", "#c084fc", "#fb923c")
"""One colour a class, in the order of the class indices; they repeat after the last."""

MISSED: Final = "#ffffff"
TO_LABEL: Final = "#ffffff"
VEIL: Final = 0.4
"""How much a mask hides of the image below it."""

MOST_LABELS: Final = 8
"""On more crowded tiles the scores would hide the image."""

_UPSCALE: Final = 2


def colour_of(index: int) -> str:
    """The colour of class `index`."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def show_tile(axes: Axes, tile: Tile, names: Sequence[str]) -> None:
    """Draws an image with what was found on it, in the colours of the classes; dashed: wrong; white and dashed: missed.

    White and solid are the regions that people should label.

    Args:
        axes: cleared and scaled to 1 x 1 here.
        tile: what to draw.
        names: the classes in the order of their indices.
    """
    scale = _show_card(axes, tile)
    if scale is None:
        return
    for shape in tile.missed:
        _draw(axes, shape, scale, MISSED, dashed=True)
    scores = tile.found.scores if len(tile.found.names) <= MOST_LABELS else None
    for index, (shape, name) in enumerate(zip(tile.shapes, tile.found.names, strict=True)):
        colour = colour_of(names.index(name))
        _draw(axes, shape, scale, colour, dashed=tile.is_wrong(index))
        if scores is not None:
            _label(axes, scale(shape.top), colour, f"{scores[index]:.2f}".lstrip("0"))
    if tile.regions is not None:
        _outline(axes, tile.regions, scale, TO_LABEL)


def show_truth(axes: Axes, tile: Tile, names: Sequence[str]) -> None:
    """Draws an image with what really is on it; takes what `show_tile` takes."""
    scale = _show_card(axes, tile)
    if scale is None or tile.truth is None:
        return
    for shape, name in zip(shapes(tile.truth), tile.truth.names, strict=True):
        _draw(axes, shape, scale, colour_of(names.index(name)))


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

    def path(self, shape: Silhouette) -> MatplotlibPath:
        """The rings in the square."""
        rings = [np.vstack([ring, ring[:1]]) * self.factor + (self.left, self.top) for ring in shape.rings]
        return MatplotlibPath.make_compound_path(*(MatplotlibPath(ring, closed=True) for ring in rings))


def _show_card(axes: Axes, tile: Tile) -> Scale | None:
    """The image in a rounded square; without a scale if there is none to draw on."""
    axes.set_axis_off()
    card = FancyBboxPatch((0.03, 0.03), 0.94, 0.94, boxstyle="round,pad=0.03,rounding_size=0.05", lw=0, fc=CARD)
    axes.add_patch(card)
    scale = None
    if tile.image is None:
        axes.text(0.5, 0.5, "cannot be\ndecoded", ha="center", va="center", color=MUTED, fontsize=11)
    else:
        scale = _show_image(axes, tile.image, card)
    axes.set(xlim=(0, 1), ylim=(1, 0), aspect="equal")
    return scale


def _show_image(axes: Axes, image: Pixels, card: FancyBboxPatch) -> Scale:
    """Draws the image, clipped to the round corners of `card`."""
    scale = Scale(*image.shape[:2])
    pixels = cv2.resize(image, None, fx=_UPSCALE, fy=_UPSCALE, interpolation=cv2.INTER_CUBIC)
    extent = (scale.left, 1 - scale.left, 1 - scale.top, scale.top)
    axes.imshow(pixels[..., ::-1], extent=extent, zorder=1).set_clip_path(card)
    return scale


def _draw(axes: Axes, shape: Shape, scale: Scale, colour: str, *, dashed: bool = False) -> None:
    """A shape in its outline; a mask is filled with a veil of its colour too."""
    if isinstance(shape, Silhouette) and colour != MISSED:
        axes.add_patch(PathPatch(scale.path(shape), fc=colour, lw=0, alpha=VEIL, zorder=2))
    _outline(axes, shape, scale, colour, dashed=dashed)


def _outline(axes: Axes, shape: Shape, scale: Scale, colour: str, *, dashed: bool = False) -> None:
    """The outline on a dark seam, so that it stands out from any background."""
    thin = 0.7 if isinstance(shape, Silhouette) else 1.0
    for line, alpha, edge, style in ((3.6, 0.55, SEAM, "-"), (1.9, 1, colour, (0, (3, 2)) if dashed else "-")):
        look: dict[str, Any] = {"fill": False, "zorder": 2, "lw": thin * line, "alpha": alpha, "ec": edge, "ls": style}
        axes.add_patch(_patch(shape, scale, look))


def _patch(shape: Shape, scale: Scale, look: dict[str, Any]) -> Patch:
    if isinstance(shape, Silhouette):
        return PathPatch(scale.path(shape), **look)
    x1, y1, x2, y2 = scale(shape.corners)
    return Rectangle((x1, y1), x2 - x1, y2 - y1, angle=shape.degrees, rotation_point="center", **look)


def _label(axes: Axes, top: Sequence[float], colour: str, text: str) -> None:
    """A small flag where the upper edge of a box begins, or at its uppermost corner."""
    flag = {"facecolor": colour, "edgecolor": "none", "pad": 1.2}
    x, y = min(top[0] + 0.012, 0.88), max(top[1], 0.03)
    axes.text(x, y, text, fontsize=8, color=SEAM, weight="bold", va="center", bbox=flag, zorder=3)
