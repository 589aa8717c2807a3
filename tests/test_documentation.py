"""Every command of the README and the docs is run by a test. How: see `documented`."""

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from documented import WAYS
from fakes import run_here
from import_cases import HEIGHT, WIDTH, coco_document, picture, text
from pages import DOCS, PAGES, PAIRS, commands, prose, read
from typer.main import get_command
from typer.testing import CliRunner

from common.mining.registry import DETECTION
from common.task.env import read_env, read_task
from workbench.__main__ import app
from workbench.commands import looping, running
from workbench.images import REPOSITORY, image
from workbench.loop import step
from workbench.loop.setup import Pool
from workbench.plan import DEFAULT
from workbench.sample import Sample

FAKE = Path(__file__).parent / "fake_start.py"
HISTORY = {REPOSITORY / "CHANGELOG.md"}
"""It tells what was."""

IN_ORDER = r"\.venv/bin/python -m workbench (import|run|check|report|loop) .*"
"""What goes on from the command before it: a page is run as a whole."""

ALL = [command for page in PAGES if page not in HISTORY for command in commands(page)]
ALONE = {re.sub(r"=\S+env\.yaml", "=env.yaml", each.text) for each in ALL if not re.fullmatch(IN_ORDER, each.text)}


def ways_of(text: str) -> list[str]:
    return [pattern for pattern in [*WAYS, IN_ORDER] if re.fullmatch(pattern, text)]


def test_it_is_known_of_every_command_how_it_is_run() -> None:
    ways = {command.place: ways_of(command.text) for command in ALL}
    assert {place: found for place, found in ways.items() if len(found) != 1} == {}, "see documented.WAYS"


def test_there_is_no_way_to_run_what_no_page_says() -> None:
    used = {pattern for command in ALL for pattern in ways_of(command.text)}
    assert used == {*WAYS, IN_ORDER}


def test_both_languages_have_the_same_commands() -> None:
    for page, chinese in PAIRS:
        assert [command.text for command in commands(page)] == [command.text for command in commands(chinese)], page


@pytest.mark.parametrize("command", sorted(ALONE))
def test_a_command_does_what_the_page_says(command: str, tmp_path: Path) -> None:
    [pattern] = ways_of(command)
    WAYS[pattern](command, tmp_path)


def test_the_page_of_the_workbench_names_no_option_and_no_argument_that_is_not_there() -> None:
    known = get_command(app).commands
    options = {name for each in known.values() for parameter in each.params for name in parameter.opts}
    for page in (DOCS["en"] / "workbench.md", DOCS["zh"] / "workbench.md"):
        codes = re.findall(r"`([^`\n]+)`", prose(read(page)))
        assert {word for code in codes for word in re.findall(r"(?<!\S)--[a-z-]+", code)} <= options
        usages = [code.split() for code in codes if re.fullmatch(r"[a-z]+( \[?[A-Z_]+\]?)+", code)]
        assert {words[0] for words in usages} == {"import", "run", "check", "report", "loop"}
        for name, *arguments in usages:
            positional = [each for each in known[name].params if each.param_type_name == "argument"]
            assert len(arguments) == len(positional) or positional[-1].nargs == -1, name


# the pages whose commands go on from one another


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the data sets that the pages speak of, and a stand-in for every image."""
    for split, values in (("train", range(4, 24)), ("val", range(4))):
        names = [picture(tmp_path / "my-data" / split / f"{value}.png", value).name for value in values]
        boxes = [{"image_id": i, "category_id": 7, "bbox": [2, 3, 10, 5]} for i in range(1, len(names) + 1)]
        document = json.dumps(coco_document([(name, WIDTH, HEIGHT) for name in names], boxes))
        text(tmp_path / "my-data" / "annotations" / f"instances_{split}.json", document)
    for value in range(3):
        picture(tmp_path / "my-photos" / f"{value}.jpg", value, size=(60, 80))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "run_image", _in_this_process)
    monkeypatch.setattr(step, "run_image", _in_this_process)
    monkeypatch.setitem(DETECTION, "margin", DETECTION["entropy"])  # which a page shows how to add
    monkeypatch.setattr(looping, "rendered_pool", lambda *_: Pool("grey images", ["thing"], GREY[1:], GREY[:1]))
    return tmp_path


GREY = [
    Sample(np.full((8, 8, 3), value, np.uint8), np.array([[0, 0, 4, 4]]), np.zeros(1, np.int64), extension="bmp")
    for value in range(121)
]
"""In place of images that take seconds to render: as many as the page's small loop needs."""

FEWER = {"--start": 4, "--add": 4, "--rounds": 2, "--seeds": 1}
"""The numbers of a loop are cut down to these: it would be a hundred tasks on hundreds of images."""


def _words(command: str) -> list[str]:
    words = shlex.split(command)[3:]
    return [str(min(int(word), FEWER[before])) if before in FEWER else word for before, word in pairwise(["", *words])]


def _in_this_process(_start_file: Path, env_file: Path, console: object) -> int:
    """The stand-in, in place of every image."""
    return run_here(FAKE, env_file, console)


PAGES_IN_ORDER = sorted({command.page for command in ALL if re.fullmatch(IN_ORDER, command.text)})


@pytest.mark.parametrize("page", [page for page in PAGES_IN_ORDER if page.is_relative_to(DOCS["en"])], ids=str)
def test_the_commands_of_a_page_work_one_after_the_other(page: Path, desk: Path) -> None:
    for command in commands(page):
        if re.fullmatch(IN_ORDER, command.text):
            words = _words(command.text)
            result = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
            assert result.exit_code == 0, f"{command.place}\n{result.output}"
            if words[0] == "check":
                assert "No problems: the platform will read these outputs as intended." in result.output
            if words[0] == "import":
                _parse(Path(words[3]) / "in" / "env.yaml", dict(pairwise(words)).get("--image", DEFAULT))


def _parse(env_file: Path, name: str) -> None:
    """The image itself takes what the command has put into the form."""
    with image(REPOSITORY / name) as executor:
        task = read_task(read_env(env_file), tuple(executor.families))
        executor.family(task.object_type).parse(task)
