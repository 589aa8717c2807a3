"""result.tsv: the candidates, best first."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from common.files import replacing

DIGITS = 6
"""Significant digits of a score: enough to rank, few enough to hide rounding differences between machines."""


def write_mining_result(path: Path, scores: Iterable[tuple[str, float]], task_id: str) -> list[str]:
    """Write the ranking. The platform takes the first lines as they stand, so the order is the result.

    Args:
        path: result.tsv.
        scores: (candidate as in the index, importance); the largest importance is labelled first.
        task_id: seed of the random but reproducible order among candidates of equal importance.

    Returns:
        The candidates in the written order.
    """
    rounded = [(name, float(f"{score:.{DIGITS}g}")) for name, score in scores]
    rounded.sort(key=lambda item: (-item[1], _lot(task_id, item[0]), item[0]))
    with replacing(path) as handle:
        handle.writelines(f"{name}\t{score:.{DIGITS}g}\n".encode() for name, score in rounded)
    return [name for name, _ in rounded]


def _lot(task_id: str, name: str) -> bytes:
    return hashlib.sha256(f"{task_id}\0{Path(name).name}".encode()).digest()
