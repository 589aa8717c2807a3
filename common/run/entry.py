"""Entry points: names of functions and tables, imported only where they are used."""

import importlib
from typing import Any


def load(entry: str) -> Any:
    """Import the module of an entry point and return the object that it names.

    Args:
        entry: `package.module:name`, as in the metadata of a Python package.
    """
    module, _, name = entry.partition(":")
    return getattr(importlib.import_module(module), name)
