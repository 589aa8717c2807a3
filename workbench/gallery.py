"""The image of a candidate with what was found on it, and what really is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from workbench.drawn import Drawn
from workbench.matching import PixelVerdict, Verdict
from workbench.outline import MaskOutline, Outline, box_outlines, mask_outline
from workbench.sample import Pixels


@dataclass(frozen=True, eq=False)
class Tile:
    """An image with its predictions.

    Attributes:
        path: its image file.
        image: `(H, W, 3)` uint8 BGR, or None if the file is gone, or cannot be decoded.
        found: the predictions.
        score: its mining score; higher is labelled sooner. None without mining.
        rank: its place in the mining result, from 1; without mining, in the index.
        truth: the true objects, or None where unknown.
        verdict: comparison of both, or None where the truth is unknown.
        regions: the pixels that people should label, or None where mining does not choose regions.
    """

    path: Path
    image: Pixels | None
    found: Drawn
    score: float | None
    rank: int
    truth: Drawn | None
    verdict: Verdict | PixelVerdict | None
    regions: MaskOutline | None = None

    @property
    def outlines(self) -> list[Outline]:
        """Outlines of the predictions, in their order."""
        return outlines(self.found)

    @property
    def missed(self) -> list[Outline]:
        """The objects that were not found."""
        if self.truth is None or not isinstance(self.verdict, Verdict):
            return []
        return [shape for shape, missed in zip(outlines(self.truth), self.verdict.missed, strict=True) if missed]

    def is_wrong(self, index: int) -> bool:
        """True if the prediction `index` is known to be wrong."""
        return isinstance(self.verdict, Verdict) and not self.verdict.right[index]


def outlines(objects: Drawn) -> list[Outline]:
    """Outline of each object: its mask, or if it has none its box."""
    if objects.masks is None:
        return [*box_outlines(objects.boxes, objects.angles)]
    return [mask_outline(mask) for mask in objects.masks]


def legend(tiles: Sequence[Tile]) -> list[str]:
    """Meanings of the lines on the tiles, besides the colours of the classes."""
    judged = any(isinstance(tile.verdict, Verdict) for tile in tiles)
    chosen = any(tile.regions is not None for tile in tiles)
    return [*(["dashed: wrong", "white: missed"] if judged else []), *(["white: regions to label"] if chosen else [])]


def decode(path: Path) -> Pixels | None:
    """The pixels as the platform counts them, EXIF orientation ignored; None where there are none."""
    buffer = np.frombuffer(path.read_bytes() if path.is_file() else b"", np.uint8)
    if not buffer.size:
        return None
    image = cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if image is None else image.astype(np.uint8)
