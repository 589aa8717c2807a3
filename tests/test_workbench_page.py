"""The page about the workbench: its commands are ones that the workbench takes, the same in both languages."""

import re
import shlex

import pytest
import typer

from workbench.__main__ import app
from workbench.images import REPOSITORY

PREFIX = ".venv/bin/python -m workbench "


def commands(language):
    text = (REPOSITORY / "docs" / language / "workbench.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    assert all(line.startswith(PREFIX) for line in lines)
    return [line.removeprefix(PREFIX) for line in lines]


def test_both_languages_show_the_same_commands():
    assert commands("en") == commands("zh")


@pytest.mark.parametrize("line", commands("en"))
def test_a_command_of_the_page_is_one_of_the_workbench(line):
    name, *words = shlex.split(line)
    command = typer.main.get_command(app).commands[name]
    with command.make_context(name, words) as context:
        assert not context.args
