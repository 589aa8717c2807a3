"""Hyper-parameters whose text has a meaning of its own, such as options of a command line, parsed once."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, TypeVar

from pydantic import PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Value]):
    """A text of the form and its meaning, parsed once. A field is `Annotated[Parsed[X], parsed_by(...), AS_TYPED]`.

    Attributes:
        text: as it was typed; the form and the log show it.
        value: its meaning.
    """

    text: str
    value: Value


def parsed_by(parse: Callable[[str], object]) -> PlainValidator:
    """For a field of `Parsed` values.

    Args:
        parse: gives the meaning of a text; its ValueError says what is allowed.
    """

    def read(text: object) -> Parsed[object]:
        if not isinstance(text, str):
            raise PydanticCustomError("string_type", "not a text")
        return Parsed(text, parse(text))

    return PlainValidator(read)


AS_TYPED = PlainSerializer(attrgetter("text"))
"""Has a `Parsed` value shown as the text that was typed."""
