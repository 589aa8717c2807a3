"""Follows a how-to page: does to a copy of the repository what its blocks say.

A block with a title is a file. It is written, or, if it is a diff, changed: lines with `-` go, lines with `+` come, and
all that is not new must be in the file exactly once.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pages import DOCS, Block, blocks, read

from workbench.images import REPOSITORY

LEFT = (".*", "build", "site", "*.pt", "*.pth", "benchmarks")


def followed(root: Path, *names: str) -> Path:
    """A copy of the repository after all blocks of some pages.

    Args:
        root: a folder that does not exist yet.
        names: of pages below `docs/en/howto`.
    """
    shutil.copytree(REPOSITORY, root, ignore=shutil.ignore_patterns(*LEFT))
    for block in (block for name in names for block in titled(DOCS["en"] / "howto" / name)):
        file = root / block.title
        if block.language == "diff":
            text = file.read_text(encoding="utf-8")
            for change in block.text.split("@@\n"):
                text = changed(text, change, block.title)
        else:
            assert not file.exists(), f"{block.title}: exists; show the change as a diff"
            text = block.text
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root


def titled(page: Path) -> list[Block]:
    """The blocks of a page that are files."""
    return [block for block in blocks(read(page)) if block.title]


def changed(text: str, change: str, name: str) -> str:
    """A text after one change of a diff."""
    lines = [(line[:1], line[1:]) for line in change.splitlines(keepends=True)]
    assert {mark for mark, _ in lines} <= {" ", "-", "+"}, f"{name}: each line of a diff begins with ' ', '-' or '+'"
    before = "".join(line for mark, line in lines if mark != "+")
    after = "".join(line for mark, line in lines if mark != "-")
    assert text.count(before) == 1, f"{name}: {text.count(before)} times in the file, not once:\n{before}"
    return text.replace(before, after)


def python(root: Path, *words: str, **environment: str) -> str:
    """Runs Python in a copy; what it said."""
    return said([sys.executable, *words], root, {"PYTHONPATH": str(root), **environment})


def said(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """What a program says in a folder, with more variables than ours; it must end well."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
