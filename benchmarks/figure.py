"""Figures: measured values and their bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bound:
    """The worst value that is good enough.

    Attributes:
        limit: that value.
        at_least: whether a larger value is better.
    """

    limit: float
    at_least: bool = False

    def met_by(self, value: float) -> bool:
        """True if a value is good enough."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:.2f}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured ratio.

    Attributes:
        name: in results.json, and the heading of its explanation in README.md.
        value: the ratio, the median where it was measured several times.
        lowest, highest: extremes of the single measurements.
        bound: what was asked for, or None where the figure is only for information.
        details: absolute numbers behind the ratio, the unit in the name. They mean nothing on another machine.
        others: cores that other programs kept busy meanwhile, on the average; near 0 if the figure can be trusted.
    """

    name: str
    value: float
    lowest: float
    highest: float
    bound: Bound | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    others: float = 0.0

    @property
    def verdict(self) -> str:
        """`met`, `missed`, or nothing where no bound was set."""
        if self.bound is None:
            return ""
        return "met" if self.bound.met_by(self.value) else "missed"
