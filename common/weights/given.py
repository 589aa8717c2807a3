"""The given weights: choose one of a model's files, and report how much of it was used."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from common.contract import MODEL_SUFFIXES
from common.errors import ModelError

log = logging.getLogger(__name__)


def choose(files: Sequence[Path]) -> Path:
    """Choose the weights file to load: `best.*`, else `best*`, else the newest.

    A given model may hold several: `best.*` is the name that our stages have, and `best*` is what OpenMMLab's own
    training writes, such as `best_coco_bbox_mAP_epoch_12.pth`.

    Raises:
        ModelError: no file has a suffix of weights.
    """
    weights = [path for path in files if path.suffix in MODEL_SUFFIXES]
    if not weights:
        names = ", ".join(path.name for path in files) or "nothing"
        raise ModelError(
            f"no weights among the given model files (found {names}; needed {' or '.join(MODEL_SUFFIXES)})"
        )
    return max(weights, key=lambda path: (path.stem == "best", path.stem.startswith("best"), path.stat().st_mtime_ns))


def check_class_names(path: Path, names: Sequence[str], wanted: Sequence[str]) -> None:
    """Compare the class names of a weights file with those of the task.

    Args:
        path: the weights file.
        names: the classes that it was trained for.
        wanted: the classes of the task; empty where the task names none.

    Raises:
        ModelError: the numbers differ.
    """
    if wanted and len(wanted) != len(names):
        raise ModelError(f"{path}: trained for {len(names)} classes, but class_names has {len(wanted)}")
    if wanted and tuple(names) != tuple(wanted):
        log.warning("class_names %s differ from the model's %s; the former are reported", tuple(wanted), tuple(names))


def log_from_scratch(model: str) -> None:
    """Log that the training of a model starts from random weights."""
    log.info("no pretrained weights for %s in this image: training from scratch", model)


def report(source: Path, wanted: Iterable[str], given: Iterable[str], matched: Iterable[str]) -> None:
    """Log how much of a weights file was used.

    Args:
        source: the file.
        wanted: names of the model's tensors.
        given: names of the file's tensors.
        matched: names that both have, with the same shape.
    """
    wanted, given, matched = set(wanted), set(given), set(matched)
    log.info("weights: %d of %d tensors taken from %s", len(matched), len(wanted), source.name)
    for title, names in (
        ("not in the file, or of another shape", wanted - matched),
        ("in the file only", given - wanted),
    ):
        if names:
            first = ", ".join(sorted(names)[:5]) + (", ..." if len(names) > 5 else "")
            log.info("  %d %s: %s", len(names), title, first)
