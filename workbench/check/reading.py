"""Reads files for the checks."""

import json
from pathlib import Path
from typing import Any

from workbench.check.finding import Finding


def text_of(file: Path, advice: str, root: Path | None = None) -> str | Finding:
    """The text of a file, or why there is none.

    Args:
        file: what the platform reads.
        advice: what to do if it is missing.
        root: where a file of this name may lie by mistake.
    """
    if not file.is_file():
        return Finding(file, "there is no such file", _advice(file, advice, root))
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return Finding(file, f"not UTF-8: {error}", "Write it in UTF-8")


def read_json(file: Path, advice: str, root: Path) -> tuple[Any, list[str]]:
    """A JSON document, or a `Finding`; and the keys that one of its objects has twice.

    Args:
        file: see `text_of`.
        advice: see `text_of`.
        root: see `text_of`.
    """
    text = text_of(file, advice, root)
    if isinstance(text, Finding):
        return text, []
    repeated: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            keys = [key for key, _ in pairs]
            repeated.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return content

    try:
        return json.loads(text, object_pairs_hook=collect), repeated
    except (ValueError, RecursionError) as error:
        return Finding(file, f"not JSON: {error}", "Write a JSON document"), []


def _advice(file: Path, advice: str, root: Path | None) -> str:
    strays = sorted(root.rglob(file.name)) if root is not None else []
    return f"Move {strays[0]} there" if strays else advice
