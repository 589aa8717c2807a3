"""HTML page about a training, about what a model found and what to label next, or about both."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from common.contract import RESERVED_KEYS, WORK_FOLDER, Verb
from common.results.class_metrics import COLUMNS, worst_first
from workbench.candidates import RankedImage, mistakes_per_image, spread
from workbench.gallery import Tile, legend, outlines
from workbench.graphics import curve_chart, embed, mistakes_of_quarters, score_charts
from workbench.log import Run, read_run
from workbench.matching import PixelVerdict
from workbench.outputs import read_best_stage, read_class_metrics
from workbench.pages import filled
from workbench.story import Story, duration
from workbench.task import Task
from workbench.wording import WORDING

PREDICTIONS: Final = 24
MINED: Final = 12
CLASSES: Final = 20
"""Classes shown at first, the worst ones; the others after a click."""

LISTED: Final = 20
"""Outputs of a folder that are listed; of more, only the number."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the summary.

    Attributes:
        value: as it is shown.
        label: its meaning.
    """

    value: str
    label: str


def write_report(candidates: Sequence[RankedImage], story: Story, file: Path) -> Path:
    """Writes the page.

    Args:
        candidates: in their order; none where the story has only a training.
        story: the tasks that the page is about.
        file: an HTML file; links to the outputs are relative to its folder.

    Returns:
        `file`.
    """
    content = _content(candidates, story, file.resolve().parent)
    file.write_text(filled("report.html.j2", **content), encoding="utf-8")
    return file


def caption(tile: Tile) -> str:
    """Result on an image: `3 found`, and where the truth is known the mistakes."""
    found = f"{len(tile.found.names)} found"
    if tile.verdict is None:
        return found
    if isinstance(tile.verdict, PixelVerdict):
        return f"{tile.verdict.mistakes:.1f} % of the pixels wrong"
    counts = ((int((~tile.verdict.right).sum()), "wrong"), (len(tile.missed), "missed"))
    return ", ".join([found, *(f"{count} {word}" for count, word in counts if count)])


def title(story: Story) -> str:
    """Title of the page."""
    if story.candidates is None:
        return "A trained model"
    if story.training is not None:
        return "A round of active learning"
    return "What to label next" if story.asked(Verb.MINING) else "What the model found"


def _content(candidates: Sequence[RankedImage], story: Story, folder: Path) -> dict[str, object]:
    """Everything that the template names."""
    mined, inferred = story.asked(Verb.MINING), story.asked(Verb.INFER)
    words = WORDING[story.object_type]
    parts = [spread(candidates, PREDICTIONS), *((candidates[:MINED], candidates[-MINED:]) if mined else ((), ()))]
    predicted, first, last = ([each.tile for each in part] for part in parts)
    runs = {task.env_file: read_run(task) for task in story.tasks}
    return {
        "story": story,
        "title": title(story),
        "overview": None if story.picture is None else _relative(story.picture, folder),
        "names": _names(candidates, story) if inferred else (),
        "words": words,
        "figures": list(_figures(candidates, story, runs)),
        "mined": mined,
        "inferred": inferred,
        "caption": caption if inferred else lambda _: "",
        "embed": embed,
        "outlines": outlines,
        **(_training(story.training) if story.training is not None else {}),
        "charts": list(score_charts(candidates, story)),
        "legend": legend([*predicted, *first, *last]),
        "predicted": predicted,
        "first": first,
        "last": last,
        "mistakes": mistakes_of_quarters(candidates, story),
        "logged": all(run.parameters for run in runs.values()),
        "tasks": [
            (task.title, run.image, _parameters(task, run), list(_outputs(task, folder)))
            for task, run in zip(story.tasks, runs.values(), strict=True)
        ],
    }


def _names(candidates: Sequence[RankedImage], story: Story) -> list[str]:
    """The classes of the project, and others that were found."""
    found = (item["class_name"] for each in candidates for item in each.found)
    return list(dict.fromkeys([*story.class_names, *found]))


def _figures(candidates: Sequence[RankedImage], story: Story, runs: Mapping[Path, Run]) -> Iterator[Figure]:
    """The summary."""
    if story.training is not None:
        yield from _figures_of_training(story.training, runs[story.training.env_file])
    if story.candidates is None:
        return
    yield from _time(story.candidates, runs[story.candidates.env_file])
    yield Figure(str(len(candidates)), "unlabelled images")
    mistakes = mistakes_per_image(candidates)
    if story.asked(Verb.INFER) and WORDING[story.object_type].scored:
        yield Figure(str(sum(len(each.found) for each in candidates)), "objects found on them")
    elif mistakes is not None:
        yield Figure(f"{mistakes:.1f} %", "of their pixels wrong")


def _figures_of_training(task: Task, run: Run) -> Iterator[Figure]:
    words, stage = WORDING[task.object_type], read_best_stage(task)
    for key, label in ((words.metric, f"{words.long} on validation"), words.second):
        if key in stage:
            yield Figure(f"{stage[key]:.3f}", label)
    yield from _time(task, run)
    yield Figure(str(len(task.index_lines("training"))), "training images")
    yield Figure(str(len(task.index_lines("val"))), "validation images")


def _time(task: Task, run: Run) -> Iterator[Figure]:
    if run.seconds is not None:
        yield Figure(duration(run.seconds), f"{task.title}, start to end")


def _training(task: Task) -> dict[str, object]:
    """Content of the part about the training."""
    classes = worst_first(read_class_metrics(task))
    return {
        "stage": read_best_stage(task),
        "curve": curve_chart(task),
        "classes": (classes[:CLASSES], classes[CLASSES:]),
        "columns": COLUMNS[task.object_type],
    }


def _parameters(task: Task, run: Run) -> Mapping[str, object]:
    """Parameters from the log of the image, or else the hyper-parameters of config.yaml."""
    asked = {key: value for key, value in sorted(task.config.items()) if key not in RESERVED_KEYS}
    return run.parameters or asked


def _outputs(task: Task, folder: Path) -> Iterator[tuple[str, str]]:
    """Every file that the task left, as a path relative to the page, with its size; of many in a folder the number."""
    root = task.output["root_dir"]
    paths = (path for path in root.rglob("*") if path.is_file() and WORK_FOLDER not in path.relative_to(root).parts)
    for parent, group in groupby(sorted(paths), lambda path: path.parent):
        files = list(group)
        if len(files) > LISTED:
            yield _relative(parent, folder), f"{len(files)} files"
        else:
            yield from ((_relative(path, folder), _size(path.stat().st_size)) for path in files)


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder)).as_posix()


def _size(count: int) -> str:
    """`812 B`, `14 kB` or `3.9 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
