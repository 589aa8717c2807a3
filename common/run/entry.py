"""Entry points: functions and tables that are named where they are declared, and imported where they are used."""

import importlib
from typing import Any


def load(entry: str) -> Any:
    """What `package.module:name` names.

    Args:
        entry: as in a Python package's metadata. The module is imported now, not before.
    """
    module, _, name = entry.partition(":")
    return getattr(importlib.import_module(module), name)
