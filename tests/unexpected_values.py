"""Documents with one unexpected value."""

from collections.abc import Iterator
from typing import Any

UNEXPECTED = [None, True, 3, -1.5, "", "x", [], [None], {}, {"a": []}, float("nan"), [[1]], {"counts": 3}]


def variants(document: Any) -> Iterator[Any]:
    """The document with one value at a time replaced by each unexpected one."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from (document | {key: other} for other in [*UNEXPECTED, *variants(value)])
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from ([*document[:index], other, *document[index + 1 :]] for other in [*UNEXPECTED, *variants(value)])
