"""Charts and photos of a round, which the page and the picture share."""

import base64
from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from markupsafe import Markup

from common.contract import Verb
from workbench.candidates import RankedImage, mistakes_per_image
from workbench.charts import Line, histogram, line_chart
from workbench.outputs import read_training_curve
from workbench.sample import Pixels
from workbench.story import Story
from workbench.task import Task
from workbench.wording import WORDING

MOST_PIXELS: Final = 640
"""Longer side of an image in the page."""


def embed(image: Pixels, most: int = MOST_PIXELS) -> str:
    """An image as a data URL, its longer side at most `most` pixels."""
    factor = most / max(image.shape[:2])
    if factor < 1:
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA).astype(np.uint8)
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(encoded).decode("ascii")


def curve_chart(task: Task) -> Markup | None:
    """The training curve; the loss is scaled to its largest value. None without epochs."""
    curve = read_training_curve(task)
    if not curve:
        return None
    words, most = WORDING[task.object_type], max(epoch.loss for epoch in curve) or 1.0
    lines = [
        Line(words.curve[0], "var(--first)", [(epoch.step, epoch.first) for epoch in curve]),
        Line(words.curve[1], "var(--second)", [(epoch.step, epoch.second) for epoch in curve]),
        Line("loss", "var(--third)", [(epoch.step, epoch.loss / most) for epoch in curve]),
    ]
    return line_chart(lines, words.step)


def score_charts(candidates: Sequence[RankedImage], story: Story) -> Iterator[tuple[str, Markup]]:
    """The distributions of the mining scores and of the scores of what was found, each with its title."""
    if story.asked(Verb.MINING):
        scores = [each.score for each in candidates if each.score is not None]
        low, high = min([0.0, *scores]), max([0.0, *scores])
        yield "Mining scores", histogram(scores, low, high if high > low else low + 1, "score")
    if not story.asked(Verb.INFER):
        return
    if WORDING[story.object_type].scored:
        found = [item["score"] for each in candidates for item in each.found if item["score"] is not None]
        yield "Detection scores", histogram(found, 0.0, 1.0, "score")
        return
    shares = [each.tile.verdict.mistakes for each in candidates if each.known and each.tile.verdict is not None]
    if shares:
        yield "Wrong pixels", histogram(shares, 0.0, max([1.0, *shares]), "%")


def mistakes_of_quarters(candidates: Sequence[RankedImage], story: Story) -> list[str]:
    """Mistakes per image in the first and in the last quarter of the ranking, in words; empty where unknown."""
    quarter = max(1, len(candidates) // 4)
    counts = [mistakes_per_image(part) for part in (candidates[:quarter], candidates[-quarter:])]
    known = [WORDING[story.object_type].mistakes.format(count) for count in counts if count is not None]
    return known if len(known) == len(counts) else []
