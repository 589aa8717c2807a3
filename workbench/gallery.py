"""The candidates of a mining and inference task as pictures with what was found on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from common.contract import ObjectType
from workbench.frame import Frame, frames
from workbench.masked import Rendered
from workbench.matching import PixelVerdict, Verdict, judge, judge_pixels
from workbench.objects import Objects, true_objects
from workbench.outputs import read_objects, read_ranking, read_regions
from workbench.sample import Pixels
from workbench.silhouette import Silhouette, silhouette
from workbench.task import Task

Shape = Frame | Silhouette


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
        verdict: what of it is right, or None where nobody knows.
        regions: what of it people should label, or None where mining does not say.
    """

    path: Path
    image: Pixels | None
    found: Objects
    score: float
    rank: int
    truth: Objects | None
    verdict: Verdict | PixelVerdict | None
    regions: Silhouette | None = None

    @property
    def shapes(self) -> list[Shape]:
        """What was found, in its order."""
        return shapes(self.found)

    @property
    def missed(self) -> list[Shape]:
        """The objects that were not found."""
        if self.truth is None or not isinstance(self.verdict, Verdict):
            return []
        return [shape for shape, missed in zip(shapes(self.truth), self.verdict.missed, strict=True) if missed]

    def is_wrong(self, index: int) -> bool:
        """Whether the object `index` that was found is known to be wrong."""
        return isinstance(self.verdict, Verdict) and not self.verdict.right[index]


def shapes(objects: Objects) -> list[Shape]:
    """What to draw for each object: its mask, or if it has none its box."""
    if objects.masks is None:
        return [*frames(objects.boxes, objects.angles)]
    return [silhouette(mask) for mask in objects.masks]


def read_tiles(task: Task, truth: Mapping[str, Rendered]) -> list[Tile]:
    """The candidates of `task`, best mining score first.

    Args:
        task: has run mining and inference.
        truth: what is known to be on the images, by their base names.
    """
    objects = read_objects(task)
    return [
        _tile(task, path, objects[path.name], truth.get(path.name), score, rank)
        for rank, (path, score) in enumerate(read_ranking(task), 1)
    ]


def spread(tiles: Sequence[Tile], count: int) -> list[Tile]:
    """At most `count` tiles on which something was found, evenly spread over the ranking."""
    shown = [tile for tile in tiles if tile.image is not None and tile.found.names]
    places = np.linspace(0, len(shown) - 1, min(count, len(shown))).round().astype(int)
    return [shown[place] for place in places]


def mistakes_per_image(tiles: Sequence[Tile]) -> float | None:
    """The mean of the verdicts' mistakes, or None where the truth about no image is known."""
    counts = [tile.verdict.mistakes for tile in tiles if tile.verdict is not None]
    return sum(counts) / len(counts) if counts else None


def legend(tiles: Sequence[Tile]) -> list[str]:
    """What the lines on the tiles mean, besides the colours of the classes."""
    judged = any(isinstance(tile.verdict, Verdict) for tile in tiles)
    chosen = any(tile.regions is not None for tile in tiles)
    return [*(["dashed: wrong", "white: missed"] if judged else []), *(["white: regions to label"] if chosen else [])]


def _tile(task: Task, path: Path, found: Objects, known: Rendered | None, score: float, rank: int) -> Tile:
    truth = true_objects(known, task.class_names, task.object_type) if known else None
    compare = judge_pixels if task.object_type is ObjectType.SEMANTIC else judge
    verdict = compare(found, truth) if truth else None
    chosen = read_regions(task, path)
    regions = None if chosen is None else silhouette(chosen)
    return Tile(path, _decode(path), found, score, rank, truth, verdict, regions)


def _decode(path: Path) -> Pixels | None:
    """The pixels as the platform counts them: EXIF orientation ignored."""
    buffer = np.frombuffer(path.read_bytes(), np.uint8)
    if not buffer.size:
        return None
    image = cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if image is None else image.astype(np.uint8)
