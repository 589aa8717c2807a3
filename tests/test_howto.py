"""The how-to pages: what they show, and how a change of theirs is put in. `tests/image` follows them."""

from pathlib import Path

import pytest
from following import changed, titled
from pages import DOCS, translated

from workbench.images import REPOSITORY

PAGES = sorted((DOCS["en"] / "howto").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_both_languages_show_the_same_files(page: Path) -> None:
    english, chinese = ([(block.title, block.text) for block in titled(each)] for each in (page, translated(page)))
    assert english == chinese
    assert english


def test_every_example_is_shown() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    folder = REPOSITORY / "docs" / "examples"
    for file in (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        assert f'--8<-- "{file.relative_to(REPOSITORY / "docs")}"' in text, file


def test_a_change_that_fits_nowhere_or_twice_is_told() -> None:
    with pytest.raises(AssertionError, match="0 times in the file, not once:\nb"):
        changed("a\n", " b\n+c\n", "x.py")
    with pytest.raises(AssertionError, match="2 times"):
        changed("a\na\n", " a\n+c\n", "x.py")
    assert changed("a\nb\n", " a\n-b\n+c\n", "x.py") == "a\nc\n"
