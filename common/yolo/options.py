"""`args_options`: further arguments of the trainer, as in YOLOv5 (`--flag value`) or in ultralytics (`key=value`)."""

import difflib
import shlex
from collections.abc import Iterator
from functools import cache

import yaml

from common.yolo.names import package_folder

YOLOV5_FLAGS: dict[str, tuple[str, object]] = {
    "img": ("imgsz", None),
    "img-size": ("imgsz", None),
    "batch-size": ("batch", None),
    "adam": ("optimizer", "Adam"),
    "multi-scale": ("multi_scale", 0.5),
    "noval": ("val", False),
    "quad": ("", None),
    "exist-ok": ("", None),
    "nosave": ("", None),
    "noplots": ("", None),
    "image-weights": ("", None),
    "linear-lr": ("", None),
    "label-smoothing": ("", None),
    "bbox-interval": ("", None),
    "upload-dataset": ("", None),
    "artifact-alias": ("", None),
    "entity": ("", None),
    "ndjson-console": ("", None),
    "ndjson-file": ("", None),
    "local-rank": ("", None),
}
"""YOLOv5's own flags: the ultralytics key, and its value where the flag stands alone.

An empty key: the flag is accepted, but has no effect.
"""

KEEP_ANCHORS = "noautoanchor"
"""YOLOv5's flag for anchors that stay as they are, whatever the data set: it is not an argument of ultralytics."""

REFUSED = {
    "data": "the platform gives the data",
    "device": "the platform gives it as gpu_id",
    "project": "the platform gives the output folder",
    "name": "the platform gives the output folder",
    "save_dir": "the platform gives the output folder",
    "weights": "give them as pretrained_model_params",
    "pretrained": "give them as pretrained_model_params",
    "model": "give the parameter model",
    "cfg": "give the parameter model",
    "hyp": "give each hyper-parameter as key=value",
    "distill_model": "a task trains one model, from the data alone",
    "resume": "a restarted task resumes by itself",
    "evolve": "a task trains one model",
    "task": "the platform gives it as object_type",
    "mode": "this task trains",
    "time": "it would change epochs during the training; give the parameter epochs",
    "save": "a restart resumes from the checkpoints",
    "sync-bn": "give the parameter sync_bn",
    "sync_bn": "give the parameter sync_bn",
    "save-period": "give the parameter save_period",
    "save_period": "give the parameter save_period",
    "bucket": "a task has no network",
}
"""Arguments that would break the contract, and what to do instead."""


def parse_options(text: str) -> dict[str, object]:
    """Parse `args_options` into trainer arguments.

    Args:
        text: such as `--exist-ok --optimizer SGD lr0=0.02`.

    Returns:
        Arguments of ultralytics, and `KEEP_ANCHORS` where that flag is given.

    Raises:
        ValueError: an argument that does not exist (with the nearest), is refused (with the reason), or has a value of
            the wrong kind.
    """
    options: dict[str, object] = {}
    for name, value in _pairs(shlex.split(text)):
        if name in REFUSED:
            raise ValueError(f"{name!r} is not allowed: {REFUSED[name]}")
        if name == KEEP_ANCHORS:
            options[KEEP_ANCHORS] = True
            continue
        key, implied = YOLOV5_FLAGS.get(name.replace("_", "-"), (name.replace("-", "_"), None))
        if key:
            options[key] = _checked(key, value if value is not None else (True if implied is None else implied))
    return options


def _pairs(words: list[str]) -> Iterator[tuple[str, object]]:
    """(name, value) pairs; the value of a flag that stands alone is None."""
    waiting: str | None = None
    for word in words:
        flag = word.startswith("--")
        name, equals, value = word.removeprefix("--").partition("=")
        if waiting is not None and not flag and not (equals and name.replace("-", "_") in trainer_arguments()):
            yield waiting, _value(word)
            waiting = None
            continue
        if waiting is not None:
            yield waiting, None
        waiting = None
        if equals:
            yield name, _value(value)
        elif flag:
            waiting = name
        else:
            raise ValueError(f"{word!r} is neither --flag, --flag value nor key=value")
    if waiting is not None:
        yield waiting, None


def _value(text: str) -> object:
    """Read a value as YAML does, but `1e-3` as a number."""
    try:
        value: object = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError(f"{text!r} is not a value (a number, true, false, a word, or a list such as [1, 2])") from None
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _checked(key: str, value: object) -> object:
    known = trainer_arguments()
    if key not in known:
        near = difflib.get_close_matches(key, [*known, *YOLOV5_FLAGS], n=3, cutoff=0.0)
        raise ValueError(f"{key!r} is not a trainer argument; nearest: {', '.join(near)}")
    default = known[key]
    numeric = isinstance(default, int | float) and not isinstance(default, bool)
    if numeric and (isinstance(value, bool) or not isinstance(value, int | float | list)):
        raise ValueError(f"{key}={value!r} is not allowed (a number; default {default})")
    return value


@cache
def trainer_arguments() -> dict[str, object]:
    """All ultralytics arguments with their defaults, from the package's own list."""
    text = (package_folder() / "cfg" / "default.yaml").read_text(encoding="utf-8")
    arguments: dict[str, object] = yaml.load(text, Loader=yaml.CSafeLoader)
    return arguments
