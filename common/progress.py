"""Maps the progress of one step onto the progress of the task."""

from collections.abc import Callable

Progress = Callable[[float], None]
"""Callback that receives the finished share, in [0, 1]."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """Progress of the step that takes the task from `start` to `end`."""
    return lambda done: progress(start + (end - start) * done)
