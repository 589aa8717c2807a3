"""Fills the templates of pages and pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

COLOURS: Final = ("#38bdf8", "#facc15", "#fb7185", "#4ade80", "#c084fc", "#fb923c")
"""One colour per class, in the order of the class indices; they repeat after the last."""


def colour_of(name: str, names: Sequence[str]) -> str:
    """The colour of one of the classes `names`."""
    return COLOURS[names.index(name) % len(COLOURS)]


def filled(template: str, **content: object) -> str:
    """The text of a template of the folder `templates`.

    Args:
        template: the name of the file.
        content: everything that the template names.
    """
    return _ENVIRONMENT.get_template(template).render(colour_of=colour_of, **content)
