"""The results as a page for people and a file for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.figure import Figure

FOLDER = Path(__file__).resolve().parent


def line(figure: Figure) -> str:
    """One figure on one line, for the terminal."""
    bound = f"  bound {figure.bound}: {figure.verdict}" if figure.bound else ""
    return f"{figure.name:32} {figure.value:6.3f}  ({_span(figure)}; others {figure.others:.1f} cores){bound}"


def write(figures: Sequence[Figure], machine: Mapping[str, str]) -> None:
    """Writes results.md and results.json beside this file."""
    (FOLDER / "results.md").write_text(page(figures, machine), encoding="utf-8")
    content = {
        "machine": dict(machine),
        "figures": [asdict(figure) | {"verdict": figure.verdict} for figure in figures],
    }
    (FOLDER / "results.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def page(figures: Sequence[Figure], machine: Mapping[str, str]) -> str:
    """The text of results.md."""
    details = [
        (figure.name, name.replace("_", " "), f"{value:.4g}")
        for figure in figures
        for name, value in figure.details.items()
    ]
    parts = (
        "# Results",
        "Written by `make bench`. [README.md](README.md) says what each figure is.",
        "## Ratios",
        "Each one compares two things measured in the same run: the median, and the span of the single measurements.\n"
        "Others: cores that other programs kept busy meanwhile. Where that is far from 0, measure again.",
        table(("figure", "ratio", "bound", "", "span", "others"), list(map(_row, figures))),
        "## Behind the ratios",
        "Absolute numbers of this machine. They say nothing about another one.",
        table(("figure", "what", "number"), details),
        "## Machine",
        table(("", ""), list(machine.items())),
    )
    return "\n\n".join(parts) + "\n"


def _row(figure: Figure) -> tuple[str, ...]:
    others = f"{figure.others:.2f}"
    return figure.name, f"**{figure.value:.3f}**", str(figure.bound or ""), _loud(figure.verdict), _span(figure), others


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _loud(verdict: str) -> str:
    return "**MISSED**" if verdict == "missed" else verdict


def _span(figure: Figure) -> str:
    return f"{figure.lowest:.3f} to {figure.highest:.3f}"
