"""result.tsv: the ranking. The platform takes its first lines and never looks at the scores."""

import math
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path, PurePath

from workbench.check.finding import Finding
from workbench.check.reading import text_of
from workbench.check.values import parses
from workbench.task import Task


def check_ranking(task: Task) -> list[Finding]:
    """Breaches in result.tsv: one line per image, image tab score, best score first."""
    file = task.output["mining_result_file"]
    text = text_of(file, "Write one line per candidate: image, tab, score", task.output["root_dir"])
    if isinstance(text, Finding):
        return [text]
    lines = [line for line in text.split("\n") if line]
    rows = [line.split("\t") for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or not parses(row[1], float) or not math.isfinite(float(row[1])):
            what = f"line {number} is not an image, one tab and a finite score: {lines[number - 1]!r}"
            return [Finding(file, what, "Write every line as image, tab, score")]
    return _check_order(file, [float(score) for _, score in rows]) + _check_images(file, task, (row[0] for row in rows))


def _check_order(file: Path, scores: list[float]) -> list[Finding]:
    for number, (score, below) in enumerate(pairwise(scores), 1):
        if below > score:
            what = f"line {number + 1} has a higher score ({below}) than line {number} ({score})"
            return [Finding(file, what, "Sort by score, highest first: the platform never sorts")]
    return []


def _check_images(file: Path, task: Task, images: Iterable[str]) -> list[Finding]:
    """Compares the images by what the platform knows them by: the base name without its extension."""
    ranked = Counter(PurePath(image).stem for image in images)
    wanted = Counter(path.stem for path in task.candidates)
    found = []
    for text, difference in (
        ("missing", wanted - ranked),
        ("listed too often, or are not candidates", ranked - wanted),
    ):
        if difference:
            what = f"{difference.total()} images are {text}, first {next(iter(difference))!r}"
            found.append(Finding(file, what, "Write each candidate exactly once"))
    return found
