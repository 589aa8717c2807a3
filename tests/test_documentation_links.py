"""Links, pictures, headings and menus of the documentation. `make docs` checks those of the site once more."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from pages import DOCS, PAGES, PAIRS, prose, read

from workbench.images import REPOSITORY

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+(?:\([^()]*\))?[^()\s]*)\)")


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


def test_every_link_leads_to_a_file_and_a_heading_that_are_there() -> None:
    found = [(page, address, _wrong(page, address)) for page in PAGES for _, _, address in links(page)]
    assert [each for each in found if each[-1]] == []


def _wrong(page: Path, address: str) -> str:
    if re.match(r"https://|mailto:", address):
        return ""
    path, _, anchor = address.partition("#")
    target = (page.parent / unquote(path)).resolve() if path else page
    if not target.exists():
        return "no such file"
    if not target.is_relative_to(REPOSITORY):
        return "not in the repository"
    return "no such heading" if anchor and anchor not in {each for _, _, each in headings(target)} else ""


def test_every_picture_says_in_words_what_it_shows() -> None:
    shown = [(page, words) for page in PAGES for picture, words, _ in links(page) if picture]
    assert [(page, words) for page, words in shown if len(words.split()) == 1 and len(words) <= 8] == []


def test_nothing_is_referred_to_in_html_which_mkdocs_does_not_check() -> None:
    texts = {page: re.sub(r"`[^`\n]+`", "", prose(read(page))) for page in PAGES}
    html = [page for page, text in texts.items() if re.search(r"<(a|img|link|script|iframe)\b", text)]
    assert html == [], "write [text](file) or ![what it shows](file)"


def test_every_file_beside_the_pages_is_used_and_small() -> None:
    shown = {(page.parent / address).resolve() for page in PAGES for picture, _, address in links(page) if picture}
    settings = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    for file in (REPOSITORY / "docs" / "assets").iterdir():
        assert file in shown or f"assets/{file.name}" in settings, file
        assert file.stat().st_size <= 300_000, file


def test_both_languages_have_headings_of_the_same_levels() -> None:
    for page, chinese in PAIRS:
        assert [level for level, _, _ in headings(page)] == [level for level, _, _ in headings(chinese)], page


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
