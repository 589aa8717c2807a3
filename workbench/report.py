"""The page about a round of active learning: one HTML file for desktop and phone, light and dark."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from common.contract import RESERVED_KEYS, WORK_FOLDER
from workbench.charts import histogram, line_chart
from workbench.gallery import Tile, legend, mistakes_per_image, shapes, spread
from workbench.matching import PixelVerdict
from workbench.outputs import read_best_stage, read_training_curve
from workbench.round import Round, duration
from workbench.sample import Pixels
from workbench.task import Task
from workbench.terms import TERMS, Terms
from workbench.tiles import colour_of

TEMPLATE: Final = "report.html.j2"
PREDICTIONS: Final = 24
MINED: Final = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the summary.

    Attributes:
        value: as it is shown.
        label: what it counts.
    """

    value: str
    label: str


def write_report(tiles: Sequence[Tile], story: Round, file: Path) -> Path:
    """Writes the page.

    Args:
        tiles: the candidates, best mining score first.
        story: the round that they belong to.
        file: an HTML file; links to the outputs are relative to its folder.

    Returns:
        `file`.
    """
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(picture=embed, colour_of=colour_of, caption=caption, shapes=shapes)
    page = environment.get_template(TEMPLATE).render(_content(tiles, story, file.parent))
    file.write_text(page, encoding="utf-8")
    return file


def embed(image: Pixels) -> str:
    """An image as a data URL."""
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(encoded).decode("ascii")


def caption(tile: Tile) -> str:
    """What the model did on an image: `3 found`, and where the truth is known what was wrong."""
    found = f"{len(tile.found.names)} found"
    if tile.verdict is None:
        return found
    if isinstance(tile.verdict, PixelVerdict):
        return f"{tile.verdict.mistakes:.1f} % of the pixels wrong"
    counts = ((int((~tile.verdict.right).sum()), "wrong"), (len(tile.missed), "missed"))
    return ", ".join([found, *(f"{count} {word}" for count, word in counts if count)])


def _content(tiles: Sequence[Tile], story: Round, folder: Path) -> dict[str, Any]:
    """Everything that the template names."""
    quarter = max(1, len(tiles) // 4)
    terms = TERMS[story.training.object_type]
    return {
        "story": story,
        "stage": read_best_stage(story.training),
        "names": story.training.class_names,
        "terms": terms,
        "figures": list(_figures(tiles, story)),
        "curve": _curve(story.training),
        "mining_scores": _mining_scores(tiles),
        "second_title": "Detection scores" if terms.scored else "Wrong pixels",
        "second_chart": _detection_scores(tiles) if terms.scored else _wrong_pixels(tiles),
        "legend": legend(tiles),
        "predicted": spread(tiles, PREDICTIONS),
        "first": tiles[:MINED],
        "last": tiles[-MINED:],
        "mistakes": [_mistakes(part, terms) for part in (tiles[:quarter], tiles[-quarter:])],
        "tasks": [
            (task.title, _parameters(task), list(_outputs(task, folder))) for task in (story.training, story.candidates)
        ],
    }


def _figures(tiles: Sequence[Tile], story: Round) -> Iterator[Figure]:
    """The summary."""
    terms, stage = TERMS[story.training.object_type], read_best_stage(story.training)
    yield Figure(f"{stage[terms.metric]:.3f}", f"{terms.long} on validation")
    key, label = terms.second
    if key in stage:
        yield Figure(f"{stage[key]:.3f}", label)
    yield Figure(duration(story.training_seconds), "training, start to end")
    yield Figure(str(len(story.training.index_lines("training"))), "training images")
    yield Figure(str(len(story.training.index_lines("val"))), "validation images")
    yield Figure(duration(story.candidate_seconds), f"{story.candidates.title}, start to end")
    yield Figure(str(len(tiles)), "unlabelled images")
    if terms.scored:
        yield Figure(str(sum(len(tile.found.names) for tile in tiles)), "objects found on them")
    elif (mistakes := mistakes_per_image(tiles)) is not None:
        yield Figure(f"{mistakes:.1f} %", "of their pixels wrong")


def _curve(task: Task) -> Markup | None:
    """The training curve; the loss is scaled to its biggest value. None without epochs."""
    curve = read_training_curve(task)
    if not curve:
        return None
    terms, most = TERMS[task.object_type], max(epoch.loss for epoch in curve) or 1.0
    series = [
        (terms.curve[0], "first", [epoch.first for epoch in curve]),
        (terms.curve[1], "second", [epoch.second for epoch in curve]),
        ("loss", "third", [epoch.loss / most for epoch in curve]),
    ]
    return line_chart([epoch.step for epoch in curve], series, terms.step)


def _mining_scores(tiles: Sequence[Tile]) -> Markup:
    scores = [tile.score for tile in tiles]
    low, high = min([0.0, *scores]), max([0.0, *scores])
    return histogram(scores, low, high if high > low else low + 1, "score")


def _detection_scores(tiles: Sequence[Tile]) -> Markup:
    scores = [tile.found.scores.tolist() for tile in tiles if tile.found.scores is not None]
    return histogram([score for each in scores for score in each], 0.0, 1.0, "score")


def _wrong_pixels(tiles: Sequence[Tile]) -> Markup:
    """How many images have how many per cent of their pixels wrong."""
    shares = [tile.verdict.mistakes for tile in tiles if tile.verdict is not None]
    return histogram(shares, 0.0, max([1.0, *shares]), "%")


def _mistakes(tiles: Sequence[Tile], terms: Terms) -> str | None:
    """How many mistakes an image has on average, in words; None where nobody knows."""
    count = mistakes_per_image(tiles)
    return None if count is None else terms.mistakes.format(count)


def _parameters(task: Task) -> Mapping[str, object]:
    """The hyper-parameters of config.yaml."""
    return {key: value for key, value in sorted(task.config.items()) if key not in RESERVED_KEYS}


def _outputs(task: Task, folder: Path) -> Iterator[tuple[str, str]]:
    """Every file that the task left, as a path relative to the page, with its size."""
    root = task.output["root_dir"]
    for path in sorted(root.rglob("*")):
        if path.is_file() and WORK_FOLDER not in path.relative_to(root).parts:
            yield path.relative_to(folder.resolve()).as_posix(), _size(path.stat().st_size)


def _size(count: int) -> str:
    """`812 B`, `14 kB` or `3.9 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
