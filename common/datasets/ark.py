"""ark, the platform's own annotation format: one text file per image, one line per object."""

from common.datasets.objects import UNKNOWN_QUALITY, UNROTATED, Objects, exclusive
from common.datasets.problems import quote

COLUMNS = "class_index, xmin, ymin, xmax, ymax[, quality[, rotate_angle]]"

_ABSENT = {5: (UNKNOWN_QUALITY, UNROTATED), 6: (UNROTATED,), 7: ()}
"""Defaults of missing columns, by the number of columns: platform 1.1.0 wrote 5, 2.x writes 7."""


def parse_ark(content: bytes, image: int, objects: Objects) -> None:
    """Add the objects of one file. An empty file is an image without objects.

    Args:
        content: lines of 5, 6 or 7 numbers separated by commas; the max corner is inclusive and corners may lie outside
            of the image.
        image: position of the image in the index.
        objects: receives the objects, and malformed lines as problems.
    """
    for number, line in enumerate(content.decode(errors="replace").split("\n"), 1):
        if line and not line.isspace():
            try:
                objects.add(image, parse_line(line))
            except ValueError as error:
                objects.problems.append((image, f":{number}: {quote(line.strip())}: {error}"))


def parse_line(line: str) -> tuple[float, ...]:
    """Parse one object into a row of `Objects`.

    Raises:
        ValueError: too few or too many columns, a column that is not a number, or max corner < min corner.
    """
    fields = line.split(",")
    absent = _ABSENT.get(len(fields))
    if absent is None:
        raise ValueError(f"{len(fields)} columns; allowed are 5, 6 or 7: {COLUMNS}")
    try:
        class_index, xmin, ymin, xmax, ymax, *given = map(float, fields)
    except ValueError:
        raise ValueError(f"not every column is a number; expected {COLUMNS}") from None
    return (class_index, *exclusive(xmin, ymin, xmax, ymax), *given, *absent)
