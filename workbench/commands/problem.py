"""Ends a command on wrong input: one red sentence, no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console


@contextmanager
def explained(console: Console, *kinds: type[Exception]) -> Iterator[None]:
    """Prints errors of the given kinds, and exits with status 1."""
    try:
        yield
    except kinds as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
