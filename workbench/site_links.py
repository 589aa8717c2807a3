"""A hook of mkdocs: what the built site refers to is there, and is its own.

mkdocs checks the links of Markdown. This looks at the HTML that came of it: at what the theme and raw HTML refer to.
"""

import logging
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mkdocs.plugins import event_priority

log = logging.getLogger("mkdocs.hooks.site_links")

LOADS = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("use", "href")}
"""What a browser fetches without being asked. `link` also names languages and the page itself, by `rel`."""

NAMES_ONLY = {"alternate", "canonical", "next", "prev"}
"""Values of `rel` with which a `link` loads nothing."""


@event_priority(-100)
def on_post_build(config: Any) -> None:
    """Warn of everything that is wrong; `--strict` makes an error of it. i18n builds a language at a time: the last."""
    if config["plugins"]["i18n"].building:
        return
    for problem in problems(Path(config["site_dir"])):
        log.warning("%s", problem)


def problems(site: Path) -> Iterator[str]:
    """What is wrong with the links of a site, a sentence each.

    Args:
        site: the folder of the HTML files.
    """
    pages = {file: _Page.read(file) for file in sorted(site.rglob("*.html"))}
    for file, page in pages.items():
        for loads, address in page.references:
            problem = _problem(site, pages, file, address, loads=loads)
            if problem:
                yield f"{file.relative_to(site)}: {address}: {problem}"


def _problem(site: Path, pages: dict[Path, "_Page"], file: Path, address: str, *, loads: bool) -> str:
    """What is wrong with one address; empty if nothing is."""
    parts = urlsplit(address)
    if parts.scheme == "data":
        return ""
    if parts.scheme or parts.netloc:
        return "is loaded from another host" if loads else ""
    target = _target(site, file, unquote(parts.path))
    if not target.is_file():
        return "is not in the site"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].names:
        return "the page has no such anchor"
    return ""


def _target(site: Path, file: Path, path: str) -> Path:
    """The file that a path means on this page."""
    if not path:
        return file
    target = site / path.lstrip("/") if path.startswith("/") else (file.parent / path).resolve()
    return target / "index.html" if target.is_dir() else target


class _Page(HTMLParser):
    """One page.

    Attributes:
        references: whether it is loaded at once, and the address.
        names: what an anchor can mean.
    """

    def __init__(self) -> None:
        super().__init__()
        self.references: list[tuple[bool, str]] = []
        self.names: set[str] = set()

    @classmethod
    def read(cls, file: Path) -> "_Page":
        page = cls()
        page.feed(file.read_text(encoding="utf-8"))
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.names |= {given[key] for key in ("id", "name") if key in given}
        for key in ("href", "src"):
            if key in given:
                loads = (tag, key) in LOADS and given.get("rel") not in NAMES_ONLY
                self.references.append((loads, given[key]))
