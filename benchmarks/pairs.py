"""Compare two pieces of work on a machine whose speed changes from second to second: in turns, pair by pair."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.figure import Bound, Figure

Timed = Callable[[], float]
"""Does the work once and returns the seconds that count."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Seconds of two pieces of work, measured in turns.

    Attributes:
        first, second: seconds, equally many.
    """

    first: Sequence[float]
    second: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        """First over second, pair by pair: what slows both of a pair down cancels out."""
        return [a / b for a, b in zip(self.first, self.second, strict=True)]


def in_turns(first: Timed, second: Timed, rounds: int) -> Pairs:
    """Do each once without counting it, then both in turns, `rounds` times."""
    first(), second()
    pairs = [(first(), second()) for _ in range(rounds)]
    return Pairs(*zip(*pairs, strict=True))


def ratio(name: str, values: Sequence[float], bound: Bound | None, details: dict[str, float]) -> Figure:
    """The figure of a ratio that was measured several times."""
    return Figure(name, median(values), min(values), max(values), bound, details)
