"""One picture of a round of active learning: the training, what was found, what to label next."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from workbench.candidates import RankedImage, spread
from workbench.gallery import legend, outlines
from workbench.graphics import curve_chart, embed, mistakes_of_quarters, score_charts
from workbench.log import read_run
from workbench.outputs import read_best_stage
from workbench.pages import filled
from workbench.story import Story, duration
from workbench.wording import WORDING

COLUMNS: Final = 8
"""Images in a row; half as many where the truth stands beside each."""

ROWS: Final = 2
"""Rows of images on which something was found."""

MOST_PIXELS: Final = 224
"""Longer side of an image."""


def draw_overview(candidates: Sequence[RankedImage], story: Story, file: Path) -> Path:
    """Writes the picture, which needs no other file.

    Args:
        candidates: best mining score first.
        story: the whole round that they belong to.
        file: an SVG file.

    Returns:
        `file`.
    """
    columns = COLUMNS // 2 if story.paired else COLUMNS
    found = spread(candidates[columns:-columns] or candidates, ROWS * columns)
    first, last = candidates[:columns], candidates[-columns:]
    mistakes = [f"{text} in this quarter of the ranking" for text in mistakes_of_quarters(candidates, story)]
    meanings = legend([each.tile for each in candidates if each.known])
    meanings += ["left: found", "right: truth"] if story.paired else []
    picture = filled(
        "overview.svg.j2",
        story=story,
        names=story.class_names,
        headline=headline(story),
        subtitle=subtitle(story, len(candidates)),
        charts=[("Training", curve_chart(story.both[0])), next(score_charts(candidates, story))],
        columns=columns,
        strips=[
            ("Found on unlabelled images", "ink", "   ·   ".join(meanings), [each.tile for each in found]),
            ("Label these first", "alarm", "".join(mistakes[:1]), [each.tile for each in first]),
            ("These can wait", "calm", "".join(mistakes[1:]), [each.tile for each in last]),
        ],
        embed=partial(embed, most=MOST_PIXELS),
        outlines=outlines,
    )
    file.write_text(picture, encoding="utf-8")
    return file


def headline(story: Story) -> str:
    """The result in one line."""
    training, _ = story.both
    words, stage, seconds = WORDING[story.object_type], read_best_stage(training), read_run(training).seconds
    after = "" if seconds is None else f" after {duration(seconds)} of training"
    return f"{words.short} {stage[words.metric]:.3f}{after}"


def subtitle(story: Story, candidates: int) -> str:
    """The circumstances in one line."""
    training, mining = story.both
    train, val = (len(training.index_lines(name)) for name in ("training", "val"))
    algorithm, seconds = mining.config.get("mining_algorithm", "mining"), read_run(mining).seconds
    within = "" if seconds is None else f" in {duration(seconds)}"
    return (
        f"{train} training and {val} validation images   ·   "
        f"{candidates} unlabelled images: inference and {algorithm} mining{within}"
    )
