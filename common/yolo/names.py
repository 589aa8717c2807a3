"""Which models ultralytics can build, known without importing it (that would take seconds)."""

import difflib
import importlib.util
import re
from functools import cache
from pathlib import Path

import yaml

OTHER_TASKS = ("seg", "cls", "pose", "obb", "sem", "depth", "world", "worldv2", "yoloe", "oiv7")
"""Words in the name of a configuration that is no detector of a fixed set of classes."""


@cache
def package_folder() -> Path:
    """Where ultralytics is installed.

    Raises:
        ModuleNotFoundError: it is not.
    """
    spec = importlib.util.find_spec("ultralytics")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("ultralytics is not installed; install the extra det-yolov5-tmi")
    return Path(spec.origin).parent


@cache
def detectors() -> dict[str, str]:
    """Names of all detectors, each with the stem of the configuration file that ultralytics builds it from.

    A configuration with several scales gives a name for each: `yolov5.yaml` gives `yolov5n` to `yolov5x`. The P6 models
    also go by their short names: `yolov5n6` is `yolov5n-p6`.
    """
    names: dict[str, str] = {}
    for path in sorted((package_folder() / "cfg" / "models").rglob("*.yaml")):
        if any(word in re.split(r"[-_]", path.stem) for word in OTHER_TASKS) or path.stem.startswith("yoloe"):
            continue
        for stem in _scaled(path):
            names[stem] = stem
            names[stem.replace("-p6", "6")] = stem
    return names


def check_detector(name: str) -> str:
    """The name, if it is that of a detector; else a ValueError with the nearest ones."""
    known = detectors()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=4, cutoff=0.0)
        raise ValueError(f"{name!r} is not a known detector; nearest: {', '.join(near)}")
    return name


def _scaled(path: Path) -> list[str]:
    """`yolov5-p6.yaml` with scales n, s -> yolov5n-p6, yolov5s-p6; without scales: its own stem."""
    scales = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).get("scales") or {}
    family, dash, rest = path.stem.partition("-")
    if not scales or family[-1].isalpha():  # one scale only, and the name says which: yolov10n
        return [path.stem]
    return [f"{family}{scale}{dash}{rest}" for scale in scales]
