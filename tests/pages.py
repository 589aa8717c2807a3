"""The documentation as text: its pages, their blocks of code, commands, headings and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.images import REPOSITORY

LANGUAGES = ("en", "zh")
DOCS = {language: REPOSITORY / "docs" / language for language in LANGUAGES}
OUTSIDE = [REPOSITORY / name for name in ("README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md")]
OUTSIDE += sorted((REPOSITORY / "benchmarks").glob("*.md"))
"""Pages that are no part of the site."""

PAGES = [*OUTSIDE, *(page for folder in DOCS.values() for page in sorted(folder.rglob("*.md")))]

COMMAND = re.compile(
    r"(\w+=('[^']*'|\S*) )*"
    r"(make|docker|podman|buildah|python|uv|export|\.venv/bin/\w+|dockerfiles/build|\.ci/run)( \S.*)?"
)
NAMES_ONLY = {"make", "docker", "podman", "buildah", "python", "uv", "export", "dockerfiles/build", ".ci/run"}
"""Words that in running text are the names of programs and files."""


FENCED = re.compile(
    r'^(?P<indent> *)(?P<fence>```+)(?P<language>\w*)(?: title="(?P<title>[^"]*)")?\n'
    r"(?P<body>.*?)^(?P=indent)(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    Attributes:
        line: the number of the line of the fence.
        language: the first word behind the fence.
        title: what `title="..."` says.
    """

    line: int
    language: str
    title: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command that a page tells people to run, without comment, on one line."""

    page: Path
    line: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}: {self.text}"


def translated(page: Path) -> Path | None:
    """The Chinese page of an English one; None where there is none to be."""
    if page.is_relative_to(DOCS["en"]):
        return DOCS["zh"] / page.relative_to(DOCS["en"])
    return page.with_name("README.zh.md") if page == REPOSITORY / "README.md" else None


PAIRS = [(page, chinese) for page in PAGES if (chinese := translated(page))]
"""Each English page with its Chinese one."""


def read(page: Path) -> str:
    """The text of a page, with what it includes from other files."""
    text = page.read_text(encoding="utf-8")

    def included(match: re.Match[str]) -> str:
        return read(REPOSITORY / "docs" / match[1]).removesuffix("\n")

    return re.sub(r'^--8<-- "(.*)"$', included, text, flags=re.MULTILINE)


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for match in FENCED.finditer(text):
        indent, language, title, body = match.group("indent", "language", "title", "body")
        lines = [line.removeprefix(indent) for line in body.splitlines(keepends=True)]
        yield Block(text.count("\n", 0, match.start()) + 1, language, title or "", "".join(lines))


def prose(text: str) -> str:
    """A page without its blocks of code; each line keeps its number."""
    return FENCED.sub(lambda match: "\n" * match[0].count("\n"), text)


def commands(page: Path) -> list[Command]:
    """The commands of a page in its order: lines of shell blocks, and code in running text and tables."""
    text = page.read_text(encoding="utf-8")
    found = list(_inline(page, text))
    for block in blocks(text):
        if block.language in {"bash", "sh", "shell", "console"}:
            found += _in_block(page, block)
    return sorted(found, key=lambda command: command.line)


def _in_block(page: Path, block: Block) -> Iterator[Command]:
    body = block.text.replace("\\\n", "\0")  # a command that goes on
    line = block.line
    for each in body.splitlines():
        line += 1
        plain = re.sub(r"(^|\s)\s*#\s.*$", "", re.sub(r"\0 *", "", each)).removeprefix("$ ").strip()
        if plain:
            yield Command(page, line, plain)
        line += each.count("\0")


def _inline(page: Path, text: str) -> Iterator[Command]:
    for number, line in enumerate(prose(text).splitlines(), 1):
        for code in re.findall(r"`([^`]+)`", line):
            if COMMAND.fullmatch(code) and code not in NAMES_ONLY:
                yield Command(page, number, code)
