"""The English of docstrings, forms and pages, as far as a regular expression can judge it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]

CHECKED = (
    *(f"{folder}/**/*.py" for folder in ("common", "workbench", "benchmarks", "docs/examples")),
    "*-tmi/*.py",
    "docs/en/**/*.md",
    "README.md",
    "CONTRIBUTING.md",
)
"""Globs of the modules and pages (Markdown) that are looked at."""

CLAUSE = re.compile(r"(what|how|where|whether|which|those|who|when) ", re.IGNORECASE)
"""A subordinate clause; docstrings start with a verb or a noun phrase."""

ONES = "images|processes|threads|files|lines|numbers|seconds|epochs|chunks?|minutes|bytes"
HABITS = re.compile(
    r"\b(tells|told|goes on|nobody|as one sees it|is no (?!more|less|longer|matter)[a-z]+"
    r"|has not (?!been|yet|run|\w+ed\b)"
    rf"|({ONES}) an? (GPU|file|batch|second|box|image|chunk|class|rank|line|pass|row))\b",
    re.IGNORECASE,
)


def docstrings_and_forms(code: str) -> Iterator[tuple[int, str]]:
    """First lines of docstrings (those of constants, too), and the English of each `parameter(...)`."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Expr(ast.Constant(str(text))):
                yield node.lineno, text.partition("\n")[0]
            case ast.Call(ast.Name("parameter"), [_, ast.Constant(str(text)), *_]):
                yield node.lineno, text


def prose(page: str) -> Iterator[tuple[int, str]]:
    """Lines of a page, without code."""
    text = re.sub(r"^ *```.*?^ *```", lambda block: "\n" * block[0].count("\n"), page, flags=re.DOTALL | re.MULTILINE)
    return ((number, re.sub(r"`[^`]*`", "`", line)) for number, line in enumerate(text.split("\n"), 1))


def faults(path: Path) -> Iterator[str]:
    text, module = path.read_text(encoding="utf-8"), path.suffix == ".py"
    for number, line in docstrings_and_forms(text) if module else prose(text):
        if HABITS.search(line) or (module and CLAUSE.match(line)):
            yield f"{path.relative_to(REPOSITORY)}:{number}: {line}"


def test_the_prose_keeps_to_the_rules() -> None:
    assert [fault for glob in CHECKED for path in REPOSITORY.glob(glob) for fault in faults(path)] == []


def test_the_rules_catch_what_they_are_for(tmp_path: Path) -> None:
    wrong = ("What a task is.", "Two files a chunk.", "It is no mask.", "It has not a name.", "The message tells it.")
    right = ("Task of a platform.", "Two files per chunk.", "It is no longer there.", "It has not been read.")
    assert [bool(HABITS.search(line) or CLAUSE.match(line)) for line in (*wrong, *right)] == [True] * 5 + [False] * 4
    page = "It is\n```\nnobody\n```\n`told` or told\n"
    assert [number for number, line in prose(page) if HABITS.search(line)] == [5]
