"""Names of the models that ultralytics can build, without importing it, which would take seconds."""

import difflib
import importlib.util
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

import yaml

NAME_SUFFIXES = frozenset({"seg", "cls", "pose", "obb", "sem", "depth", "world", "worldv2", "yoloe", "oiv7"})
"""Words in the names of configurations that are not detectors of a fixed set of classes."""

SEGMENTED_DETECTOR = "v5/yolov5.yaml"
"""Configuration of a detector that also works with a segmentation head, although ultralytics ships no such file."""


@cache
def package_folder() -> Path:
    """Folder of the installed ultralytics.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    spec = importlib.util.find_spec("ultralytics")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("ultralytics is not installed; install the extra det-yolov5-tmi")
    return Path(spec.origin).parent


@cache
def detectors() -> dict[str, str]:
    """Names of all detectors, each with the stem of its configuration file.

    A configuration with several scales gives a name for each: `yolov8.yaml` gives `yolov8n` to `yolov8x`. The P6 models
    also go by their short names: `yolov5n6` is `yolov5n-p6`. ultralytics' own YOLOv5, which has no anchors, goes by the
    names of its files: `yolov5nu`, `yolov5n6u`; without the `u` the models are anchored, see `is_anchored`.
    """
    names: dict[str, str] = {}
    for path in _configurations(frozenset()):
        for stem in _scaled(path):
            short = stem.replace("-p6", "6")
            names |= {stem: stem, short: stem} | ({f"{short}u": stem} if is_anchored(short) else {})
    return names


@cache
def segmenters() -> dict[str, str]:
    """Names of all models of instance segmentation, each with the stem of its configuration file.

    ultralytics has no configurations for yolov5n-seg to yolov5x-seg: they are those of yolov5n to
    yolov5x, with an anchored head for masks.
    """
    names = {stem: stem for path in _configurations(frozenset({"seg"})) for stem in _scaled(path)}
    return names | {f"{stem}-seg": stem for stem in _scaled(_folder() / SEGMENTED_DETECTOR)}


def is_anchored(name: str) -> bool:
    """Test for a model of the yolov5 repository, with anchors."""
    return re.fullmatch(r"yolov5[nsmlx](6|-p6)?(-seg)?", name) is not None


def check_detector(name: str) -> str:
    """Check the name of a detector; the ValueError lists the nearest ones."""
    return _known(name, detectors(), "detector")


def check_segmenter(name: str) -> str:
    """Check the name of a model of instance segmentation; the ValueError lists the nearest ones."""
    return _known(name, segmenters(), "model of instance segmentation")


def _known(name: str, known: Collection[str], kind: str) -> str:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=4, cutoff=0.0)
        raise ValueError(f"{name!r} is not a known {kind}; nearest: {', '.join(near)}")
    return name


def _configurations(tasks: frozenset[str]) -> list[Path]:
    """The configuration files whose names have exactly these words of `NAME_SUFFIXES`."""
    files = sorted(_folder().rglob("*.yaml"))
    return [path for path in files if NAME_SUFFIXES.intersection(re.split(r"[-_]", path.stem)) == tasks]


def _folder() -> Path:
    return package_folder() / "cfg" / "models"


def _scaled(path: Path) -> list[str]:
    """`yolov5-p6.yaml` with scales n, s -> yolov5n-p6, yolov5s-p6; without scales: its own stem."""
    scales = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).get("scales") or {}
    family, dash, rest = path.stem.partition("-")
    if not scales or family[-1].isalpha():  # one scale only, and the name says which: yolov10n
        return [path.stem]
    return [f"{family}{scale}{dash}{rest}" for scale in scales]
