"""Findings of a check."""

from dataclasses import dataclass
from pathlib import Path

Breach = tuple[str, str]
"""Breach of a rule in a known file, and the advice."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of the contract.

    Attributes:
        file: the output that is wrong.
        what: what is wrong with it, with the key or line and its value.
        advice: what the image has to do instead.
    """

    file: Path
    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}. {self.advice}"
