"""Parses `cfg_options` and `args_options`: additions to the command line of OpenMMLab's tools/train.py."""

import difflib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

from common.mmlab.options.allowed_keys import EPOCHS, check_key
from common.mmlab.options.literals import read_literal

ARGUMENTS = ("amp", "auto-scale-lr", "cfg-options", "deterministic", "options", "seed")
"""Supported arguments of tools/train.py."""

REFUSED_ARGUMENTS = {
    "auto-resume": "a restarted task resumes by itself",
    "resume": "a restarted task resumes by itself",
    "resume-from": "a restarted task resumes by itself",
    "load-from": "give the weights as pretrained_model_params",
    "work-dir": "the platform gives the output folder",
    "launcher": "the platform gives the GPUs",
    "local-rank": "the platform gives the GPUs",
    "gpus": "the platform gives the GPUs",
    "gpu-id": "the platform gives the GPUs",
    "gpu-ids": "the platform gives the GPUs",
    "no-validate": "the platform needs the metric",
    "diff-seed": "give cfg_options randomness.diff_rank_seed=True",
}
"""Arguments of tools/train.py that would break the contract, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """Meaning of `args_options`.

    Attributes:
        amp: whether to use mixed precision.
        seed: of everything random, or None.
        deterministic: whether to use deterministic algorithms only.
        cfg_options: changes to the configuration by dotted key.
    """

    amp: bool = False
    seed: int | None = None
    deterministic: bool = False
    cfg_options: dict[str, object] = field(default_factory=dict)


def parse_cfg_options(text: str, counted: Mapping[str, str] = EPOCHS) -> dict[str, object]:
    """Parse `cfg_options` into values by dotted key; the last one of a key counts.

    Args:
        text: such as `model.test_cfg.score_thr=0.01 optim_wrapper.optimizer.betas="(0.9, 0.99)"`.
        counted: `keys.EPOCHS` or `keys.ITERATIONS`.

    Raises:
        ValueError: a word is not key=value, or `check_key` refuses a key.
    """
    return dict(map(partial(_pair, counted), _words(text)))


def parse_args_options(text: str, counted: Mapping[str, str] = EPOCHS) -> Arguments:
    """Parse `args_options`.

    Args:
        text: such as `--amp --seed 1 --cfg-options model.test_cfg.score_thr=0.01`.
        counted: `keys.EPOCHS` or `keys.ITERATIONS`.

    Raises:
        ValueError: an argument that does not exist (with the nearest), is refused (with the reason), or has a value of
            the wrong kind.
    """
    given: dict[str, Any] = {}
    changes: dict[str, object] = {}
    for name, values in _arguments(_words(text)):
        if name in ("cfg-options", "options"):
            changes |= map(partial(_pair, counted), values)
        elif name == "seed":
            given["seed"] = _seed(values)
        elif values:
            raise ValueError(f"{values[0]!r}: --{name} takes no value, and the model is a parameter")
        elif name != "auto-scale-lr":  # the learning rate is always scaled
            given[name] = True
    return Arguments(**given, cfg_options=changes)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{text!r} cannot be split into words ({error})") from None


def _pair(counted: Mapping[str, str], word: str) -> tuple[str, object]:
    """`a.b=1` -> ("a.b", 1)."""
    key, equals, value = word.partition("=")
    if not equals or not all(key.split(".")):
        raise ValueError(f'{word!r} is not key=value, such as model.test_cfg.score_thr=0.01 or key="[1, 2]"')
    check_key(key, counted)
    return key, read_literal(value)


def _arguments(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each argument, without leading dashes and with dashes inside, and the words of its value."""
    starts = [place for place, word in enumerate(words) if word.startswith("--")]
    if words and starts[:1] != [0]:
        raise ValueError(f"{words[0]!r} is not an --argument; the model is a parameter, key=value is for cfg_options")
    for start, end in pairwise([*starts, len(words)]):
        name, equals, value = words[start].removeprefix("--").partition("=")
        yield _argument(name.replace("_", "-")), [value] * bool(equals) + list(words[start + 1 : end])


def _argument(name: str) -> str:
    if name in REFUSED_ARGUMENTS:
        raise ValueError(f"'--{name}' is not allowed: {REFUSED_ARGUMENTS[name]}")
    if name not in ARGUMENTS:
        near = ", ".join(f"--{each}" for each in difflib.get_close_matches(name, ARGUMENTS, n=3, cutoff=0.0))
        raise ValueError(f"'--{name}' is not an argument of a training; nearest: {near}")
    return name


def _seed(values: Sequence[str]) -> int:
    """Parse a single number that numpy accepts as a seed."""
    if len(values) != 1 or not values[0].isdecimal() or int(values[0]) >= 2**32:
        raise ValueError(f"--seed {' '.join(values)!r} is not allowed (one integer from 0 to {2**32 - 1})")
    return int(values[0])
