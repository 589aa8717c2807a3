"""Progress of a part of the work, told as progress of the whole."""

from collections.abc import Callable

Progress = Callable[[float], None]
"""Called with the share that is done, in [0, 1]."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a part that takes the whole from `start` to `end`."""
    return lambda done: progress(start + (end - start) * done)
