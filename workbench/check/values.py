"""Small questions about values that came out of JSON or YAML."""

import math
from collections.abc import Mapping
from typing import Any, Final, TypeGuard

INT32: Final = range(-(2**31), 2**31)


def is_number(value: object) -> TypeGuard[int | float]:
    """A finite number; booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_unit(value: object) -> bool:
    """A number from 0 to 1."""
    return is_number(value) and 0 <= value <= 1


def is_whole(value: object) -> TypeGuard[int | float]:
    """A number without a fraction: 1 or 1.0."""
    return is_number(value) and value == int(value)


def is_int(value: object) -> TypeGuard[int]:
    """An integer; booleans are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """A JSON object or YAML mapping."""
    return isinstance(value, dict)


def is_text(value: object) -> TypeGuard[str]:
    """A string with something in it."""
    return isinstance(value, str) and value != ""


def parses(text: str, number: type[int] | type[float]) -> bool:
    """True if `number` reads `text`, as the platform does."""
    try:
        number(text)
    except ValueError:
        return False
    return True
