"""Report many mistakes of a data set in one error."""

from collections.abc import Sequence

from common.errors import DatasetError

REPORTED = 10
"""Number of mistakes in a message, which has to fit into monitor.txt. Ten of them show that they are systematic."""

LONGEST_QUOTE = 120
"""Maximum length of a quoted value in characters: an index may turn out to be a picture."""


def quote(text: str) -> str:
    """Quote a value of a file, on one line and not too long."""
    return repr(text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "...")


def refuse(problems: Sequence[str]) -> None:
    """Raise all mistakes in one error; do nothing if there are none.

    Args:
        problems: sentences that name the file, the line, the value and what is allowed; the first ten are shown.

    Raises:
        DatasetError: there is at least one problem.
    """
    if len(problems) == 1:
        raise DatasetError(problems[0])
    if problems:
        shown = "; ".join(f"({i}) {problem}" for i, problem in enumerate(problems[:REPORTED], 1))
        rest = len(problems) - REPORTED
        raise DatasetError(f"{len(problems)} problems: {shown}" + (f"; and {rest} more" if rest > 0 else ""))
