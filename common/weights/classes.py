"""The classes that given weights and a task have in common, by their names."""

import logging
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)


def match_classes(known: Sequence[str], wanted: Sequence[str]) -> list[int | None]:
    """Find each wanted class among those of the weights: its index there, or None.

    Where no name is the same, case and surrounding blanks make no difference, as in ultralytics.
    """
    exact = {name: index for index, name in reversed(list(enumerate(known)))}
    plain = {_plain(name): index for index, name in reversed(list(enumerate(known)))}
    return [exact.get(name, plain.get(_plain(name))) for name in wanted]


def report_classes(source: Path, known: Sequence[str], wanted: Sequence[str]) -> None:
    """Log the classes that keep the outputs of the weights, and those that start anew.

    Args:
        source: file of the weights.
        known: its classes.
        wanted: the classes of the task.
    """
    matches = match_classes(known, wanted)
    kept = [name for name, match in zip(wanted, matches, strict=True) if match is not None]
    new = [name for name, match in zip(wanted, matches, strict=True) if match is None]
    log.info("classes that %s knows: %s; new ones: %s", source.name, _listed(kept), _listed(new))


def _plain(name: str) -> str:
    return name.strip().lower()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
