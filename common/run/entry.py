"""Entry points: names of functions and tables, imported only where they are used."""

import importlib
from dataclasses import dataclass
from typing import Generic, TypeVar

Named = TypeVar("Named")


@dataclass(frozen=True, slots=True)
class Entry(Generic[Named]):
    """A function or a table, by its name.

    Attributes:
        name: `package.module:name`, as in a Python package's metadata.
    """

    name: str

    def load(self) -> Named:
        """Import the module, and return the object that it calls so."""
        module, _, name = self.name.partition(":")
        named: Named = getattr(importlib.import_module(module), name)
        return named
