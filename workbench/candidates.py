"""The images that a task has mined or looked at, in the order of its ranking, without their pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from common.contract import ObjectType, Verb
from workbench.drawn import true_objects
from workbench.gallery import Tile, decode
from workbench.masked import Rendered
from workbench.matching import judge, judge_pixels
from workbench.outline import mask_outline
from workbench.outputs import Item, objects_of, read_items, read_ranking, read_regions
from workbench.story import Story
from workbench.task import Task


@dataclass(frozen=True, eq=False)
class RankedImage:
    """An image of the ranking; pixels and masks are read on demand, since a task may have more than memory holds.

    Attributes:
        rank: its place in the mining result, from 1; without mining, in the index.
        score: its mining score; higher is labelled sooner. None without mining.
        found: objects that the model found; empty without inference.
        known: whether the truth about it is known.
        look: makes the tile.
    """

    rank: int
    score: float | None
    found: Sequence[Item]
    known: bool
    look: Callable[[], Tile]

    @cached_property
    def tile(self) -> Tile:
        """The image with what was found on it."""
        return self.look()


def read_candidates(story: Story) -> list[RankedImage]:
    """The candidates of a story, best mining score first; without mining, in the order of the index."""
    task, truth, radians = story.candidates, story.truth, story.radians
    if task is None:
        return []
    items = read_items(task) if Verb.INFER in task.verbs else {}
    mined = Verb.MINING in task.verbs
    ranking = read_ranking(task) if mined else [(path, None) for path in task.candidates]
    found = ((path, score, items.get(path.name, []), truth.get(path.name)) for path, score in ranking)
    return [
        RankedImage(rank, score, own, known is not None, partial(_tile, task, path, rank, score, own, known, radians))
        for rank, (path, score, own, known) in enumerate(found, 1)
    ]


def spread(candidates: Sequence[RankedImage], count: int) -> list[RankedImage]:
    """At most `count` candidates on which something was found, evenly spread over their order."""
    shown = [each for each in candidates if each.found]
    places = np.linspace(0, len(shown) - 1, min(count, len(shown))).round().astype(int)
    return [shown[place] for place in places]


def mistakes_per_image(candidates: Sequence[RankedImage]) -> float | None:
    """The mean of the verdicts' mistakes, or None where the truth about no image is known."""
    verdicts = [each.tile.verdict for each in candidates if each.known]
    counts = [verdict.mistakes for verdict in verdicts if verdict is not None]
    return sum(counts) / len(counts) if counts else None


def _tile(
    task: Task,
    path: Path,
    rank: int,
    score: float | None,
    items: Sequence[Item],
    known: Rendered | None,
    radians: float,
) -> Tile:
    found = objects_of(items, task.object_type, radians)
    truth = true_objects(known, task.class_names, task.object_type) if known else None
    compare = judge_pixels if task.object_type is ObjectType.SEMANTIC else judge
    verdict = compare(found, truth) if truth else None
    chosen = read_regions(task, path)
    regions = None if chosen is None else mask_outline(chosen)
    return Tile(path, decode(path), found, score, rank, truth, verdict, regions)
