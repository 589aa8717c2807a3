"""Traps of YAML 1.1, which the platform reads: texts that look harmless and mean something else."""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from workbench.check.finding import Breach

_TAG: Final = "tag:yaml.org,2002:"
_EXPONENT: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
_INFINITE: Final = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)
_BOOLEANS: Final = frozenset({"true", "false"})


def parse(text: str) -> tuple[Any, list[Breach]]:
    """A YAML document and its traps.

    Raises:
        ValueError: it cannot be read as the platform reads it; the message says why.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())) from None
    return content, list(_mapping(node)) if isinstance(node, yaml.MappingNode) else []


def _mapping(node: yaml.MappingNode) -> Iterator[Breach]:
    seen: set[str] = set()
    for key, value in node.value:
        name = str(key.value)
        if name in seen:
            yield f"key {name!r} occurs twice", "Write it once: the first is lost"
        seen.add(name)
        if isinstance(key, yaml.ScalarNode) and key.tag != f"{_TAG}str":
            kind = key.tag.removeprefix(_TAG)
            yield (
                f"key {name!r} is not text but {kind} in YAML 1.1",
                f"Write '{name}' in quotes, or another name",
            )
        if isinstance(value, yaml.ScalarNode) and value.style is None:
            for what, advice in _plain(value.value, value.tag.removeprefix(_TAG)):
                yield f"{name}: {what}", advice


def _plain(text: str, kind: str) -> Iterator[Breach]:
    """A value without quotes, and what YAML 1.1 takes it for."""
    quote = f"Write '{text}' in quotes if it is a text"
    if kind == "bool" and text.lower() not in _BOOLEANS:
        yield f"{text} is a boolean in YAML 1.1", f"Write true or false. {quote}"
    elif kind in {"int", "float"} and ":" in text:
        yield f"{text} is a base-60 number in YAML 1.1", quote
    elif kind in {"int", "float"} and "_" in text:
        yield f"{text} is a number in YAML 1.1, without its underscores", quote
    elif kind == "int" and len(text) > 1 and re.fullmatch(r"[-+]?0\d+", text):
        yield f"{text} is an octal number in YAML 1.1", f"Write it without the 0 in front. {quote}"
    elif kind == "float" and _INFINITE.fullmatch(text):
        yield f"{text} cannot be written in JSON, which the web form needs", "Write a finite number"
    elif kind == "str" and _EXPONENT.fullmatch(text):
        yield f"{text} is a text in YAML 1.1, not a number", f"Write {float(text):f}".rstrip("0").rstrip(".")
    elif kind == "timestamp":
        yield f"{text} is a date in YAML 1.1, which no image can be registered with", quote
