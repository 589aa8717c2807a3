"""The candidates of a mining and inference task as pictures with what was found on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from workbench.frame import Frame, frames
from workbench.matching import Verdict, judge
from workbench.outputs import Found, read_detections, read_ranking
from workbench.sample import Pixels, Sample
from workbench.task import Task


@dataclass(frozen=True, eq=False)
class Tile:
    """One candidate.

    Attributes:
        path: its image file.
        image: `(H, W, 3)` uint8 BGR, or None if the file cannot be decoded.
        found: what the model found on it.
        score: its mining score; the bigger, the sooner it is worth a label.
        rank: its place in the mining result, from 1.
        truth: what really is on it, or None where nobody knows.
        verdict: which detections are right, or None where nobody knows.
    """

    path: Path
    image: Pixels | None
    found: Found
    score: float
    rank: int
    truth: Sample | None
    verdict: Verdict | None

    @property
    def frames(self) -> list[Frame]:
        """The detections, in their order."""
        return frames(self.found.boxes, self.found.angles)

    @property
    def missed(self) -> list[Frame]:
        """The objects that were not found."""
        if self.truth is None or self.verdict is None:
            return []
        return frames(self.truth.boxes[self.verdict.missed], self.truth.angles[self.verdict.missed])

    def is_wrong(self, index: int) -> bool:
        """Whether detection `index` is known to be wrong."""
        return self.verdict is not None and not self.verdict.right[index]


def read_tiles(task: Task, truth: Mapping[str, Sample]) -> list[Tile]:
    """The candidates of `task`, best mining score first.

    Args:
        task: has run mining and inference.
        truth: what is known to be on the images, by their base names.
    """
    detections = read_detections(task)
    tiles = []
    for rank, (path, score) in enumerate(read_ranking(task), 1):
        found, known = detections[path.name], truth.get(path.name)
        verdict = judge(found, known, task.class_names) if known else None
        tiles.append(Tile(path, _decode(path), found, score, rank, known, verdict))
    return tiles


def spread(tiles: Sequence[Tile], count: int) -> list[Tile]:
    """At most `count` tiles with detections, evenly spread over the ranking."""
    shown = [tile for tile in tiles if tile.image is not None and tile.found.names]
    places = np.linspace(0, len(shown) - 1, min(count, len(shown))).round().astype(int)
    return [shown[place] for place in places]


def mistakes_per_image(tiles: Sequence[Tile]) -> float | None:
    """Missed plus wrong boxes per image, or None where the truth about no image is known."""
    counts = [tile.verdict.mistakes for tile in tiles if tile.verdict is not None]
    return sum(counts) / len(counts) if counts else None


def _decode(path: Path) -> Pixels | None:
    """The pixels as the platform counts them: EXIF orientation ignored."""
    buffer = np.frombuffer(path.read_bytes(), np.uint8)
    if not buffer.size:
        return None
    image = cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if image is None else image.astype(np.uint8)
