"""Links, pictures, headings and menus of the documentation. `make docs` checks those of the site once more."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from pages import DOCS, PAGES, prose, read, translated

from workbench.images import REPOSITORY

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+(?:\([^()]*\))?[^()\s]*)\)")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


def links(page: Path) -> Iterator[tuple[bool, str, str]]:
    """Whether it is a picture, the text, and the address of everything that a page refers to."""
    for mark, words, address in LINK.findall(re.sub(r"`[^`\n]+`", "`code`", prose(read(page)))):
        yield bool(mark), words, address


@cache
def headings(page: Path) -> list[tuple[int, str, str]]:
    """Level, text and anchor of each heading."""
    found = []
    for marks, words, own in re.findall(r"^(#+) (.*?)(?: \{#([\w-]+)\})?$", prose(read(page)), re.MULTILINE):
        found.append((len(marks), words, own or slug(words)))
    return found


def slug(words: str) -> str:
    """The anchor that both GitHub and the site make of a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", words).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@each_page
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for _, _, address in links(page):
        if re.match(r"https://|mailto:", address):
            continue
        path, _, anchor = address.partition("#")
        target = (page.parent / unquote(path)).resolve() if path else page
        assert target.exists(), f"{address}: no such file"
        assert target.is_relative_to(REPOSITORY), f"{address}: not in the repository"
        if anchor:
            assert anchor in {each for _, _, each in headings(target)}, f"{address}: no such heading"


@each_page
def test_every_picture_says_in_words_what_it_shows(page: Path) -> None:
    assert all(len(words.split()) > 1 or len(words) > 8 for picture, words, _ in links(page) if picture)


@each_page
def test_nothing_is_referred_to_in_html_which_mkdocs_does_not_check(page: Path) -> None:
    text = re.sub(r"`[^`\n]+`", "", prose(read(page)))
    assert not re.search(r"<(a|img|link|script|iframe)\b", text), "write [text](file) or ![what it shows](file)"


def test_every_file_beside_the_pages_is_used_and_small() -> None:
    shown = {(page.parent / address).resolve() for page in PAGES for picture, _, address in links(page) if picture}
    settings = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    for file in (REPOSITORY / "docs" / "assets").iterdir():
        assert file in shown or f"assets/{file.name}" in settings, file
        assert file.stat().st_size <= 300_000, file


@pytest.mark.parametrize("page", [page for page in PAGES if translated(page)], ids=lambda page: page.name)
def test_both_languages_have_headings_of_the_same_levels(page: Path) -> None:
    chinese = translated(page)
    assert chinese is not None
    assert [level for level, _, _ in headings(page)] == [level for level, _, _ in headings(chinese)]


def test_every_page_has_its_translation_and_a_place_in_the_menu() -> None:
    names = {language: {page.relative_to(folder) for page in folder.rglob("*.md")} for language, folder in DOCS.items()}
    assert names["en"] == names["zh"]
    settings = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    menu = re.findall(r"^ +- (?:.*: )?(\S+\.md)$", settings.partition("\nnav:")[2], re.MULTILINE)
    pages = {str(name) for name in names["en"] if name.parts[0] != "parameters"}
    assert sorted(menu) == sorted(pages)


def test_every_title_of_the_menu_is_translated_or_a_name() -> None:
    settings = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    titles = re.findall(r"^ +- (.*?):(?: \S+)?$", settings.partition("\nnav:")[2], re.MULTILINE)
    table = re.search(r"nav_translations:\n((?: {12}.*\n)+)", settings)
    assert table is not None
    translations = yaml.safe_load(table[1])
    names = {page.stem for page in PAGES} | {"maskal"}
    assert [title for title in titles if title not in translations and title not in names] == []
    assert set(translations) <= set(titles)


@pytest.mark.parametrize("name", ["extra_css", "extra_javascript"])
def test_what_the_settings_add_to_every_page_is_there(name: str) -> None:
    settings = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.search(rf"^{name}:\n((?:  - .*\n)+)", settings, re.MULTILINE)
    for file in re.findall(r"- (\S+)", listed[1]) if listed else []:
        assert (REPOSITORY / "docs" / file).is_file(), file


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<a href="https://other.org/x">', False),
        ('<link href="../assets/a.css" rel="stylesheet">', False),
        ('<img src="data:image/png;base64,AA//BB">', False),
        ('<link rel="stylesheet" href="https://other.org/x.css">', True),
        ('<script src="//other.org/x.js"></script>', True),
        ("<img alt='A' src=http://other.org/a.png>", True),
    ],
)
def test_make_docs_finds_what_a_page_loads_from_another_host(html: str, found: bool, tmp_path: Path) -> None:
    """With the very words of the Makefile, `make docs` itself builds the site first."""
    page = tmp_path / "index.html"
    page.write_text(html, encoding="utf-8")
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    pattern = re.search(r"^ELSEWHERE := (.*)$", makefile, re.MULTILINE)
    assert pattern
    assert "grep -rioE $(ELSEWHERE) --include='*.html' site" in makefile
    done = subprocess.run(["bash", "-c", f"grep -iE {pattern[1]} {page}"], capture_output=True, check=False)
    assert (done.returncode == 0) == found
