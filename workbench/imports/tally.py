"""Counts of losses and changes, each with a reason that a person can act on."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of losses and changes."""

    IMAGES = "images left out"
    OBJECTS = "objects left out"
    CHANGES = "objects changed"


class Tally:
    """Counts by kind and reason, each with the first place where it happened."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Kind, str]] = Counter()
        self._first: dict[tuple[Kind, str], str] = {}

    def add(self, kind: Kind, reason: str, place: object) -> None:
        """Counts one."""
        self._counts[kind, reason] += 1
        self._first.setdefault((kind, reason), str(place))

    def count(self, kind: Kind) -> int:
        """Count of a kind, over all reasons."""
        return sum(count for (each, _), count in self._counts.items() if each is kind)

    def rows(self) -> Iterator[tuple[Kind, int, str, str]]:
        """Kind, count, reason and first place; images first, most frequent first."""
        order = list(Kind)
        for (kind, reason), count in sorted(self._counts.items(), key=lambda row: (order.index(row[0][0]), -row[1])):
            yield kind, count, reason, self._first[kind, reason]
