"""Many mistakes of a data set, told in one error."""

from collections.abc import Sequence

from common.errors import DatasetError

REPORTED = 10
"""Mistakes that are told one by one. The message ends in monitor.txt; what is wrong ten times is wrong by system."""

LONGEST_QUOTE = 120
"""Characters of a wrong value that are repeated: an index may turn out to be a picture."""


def quote(text: str) -> str:
    """A value as it stands in the file, in quotes, on one line and not too long."""
    return repr(text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "...")


def refuse(problems: Sequence[str]) -> None:
    """Do nothing when nothing is wrong.

    Args:
        problems: sentences that name the file, the line, the value and what is allowed; the first ten are told.

    Raises:
        DatasetError: there is at least one problem.
    """
    if len(problems) == 1:
        raise DatasetError(problems[0])
    if problems:
        told = "; ".join(f"({i}) {problem}" for i, problem in enumerate(problems[:REPORTED], 1))
        rest = len(problems) - REPORTED
        raise DatasetError(f"{len(problems)} problems: {told}" + (f"; and {rest} more" if rest > 0 else ""))
