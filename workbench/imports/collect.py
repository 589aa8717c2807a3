"""A data set as the images of a task: measured, named by their content, one at a time."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from workbench.imports.entry import TEST, TRAIN, UNSPLIT, VAL, Catalogue, Entry, Lost, Probe, SourceError, UnusableError
from workbench.imports.probe import probe
from workbench.imports.tally import Kind, Tally
from workbench.imports.target import Row, Target, normalised, to_row
from workbench.stored import StoredImage, digest_of

Splits = Mapping[str, Sequence[StoredImage]]

_ORDER: Final = (TRAIN, VAL, TEST, UNSPLIT)
"""Order of the splits: of two with the same image, the first keeps it."""


def class_names(catalogue: Catalogue, chosen: Sequence[str] = ()) -> list[str]:
    """The classes of a task as the platform has them: lower case, each once.

    Args:
        catalogue: the data set.
        chosen: those to keep, in this order; all by default.

    Raises:
        SourceError: a chosen class is not in the data set, or there is no class at all.
    """
    known = list(dict.fromkeys(map(normalised, catalogue.class_names)))
    wanted = list(dict.fromkeys(map(normalised, chosen)))
    if unknown := [name for name in wanted if name not in known]:
        raise SourceError(f"classes {unknown}: not in the data set, which has {known}. Choose from them")
    if not known:
        raise SourceError("the data set has no class: there is nothing to train. Give one with labels")
    return wanted or known


def collect(
    catalogue: Catalogue, entries: Iterable[Entry], names: Sequence[str], target: Target, tally: Tally
) -> dict[str, list[StoredImage]]:
    """Reads the headers and labels of all images, and their contents once, for their names.

    Args:
        catalogue: the data set.
        entries: its entries in the order of `ordered`, perhaps in something that shows the progress.
        names: the classes of the task, normalised; objects of others are left out.
        target: properties of objects that the task can hold.
        tally: takes what gets lost.

    Returns:
        The images of each split.
    """
    for loss in catalogue.lost:
        tally.add(*loss)
    indices = {name: index for index, name in enumerate(names)}
    found: dict[str, list[StoredImage]] = {split: [] for split in _ORDER}
    seen: set[str] = set()
    for entry in entries:
        try:
            found[entry.split].append(_stored(entry, seen, indices, target, tally))
        except UnusableError as error:
            tally.add(Kind.IMAGES, str(error), entry.image)
    return found


def ordered(entries: Iterable[Entry]) -> list[Entry]:
    """Training images first: an image that occurs twice stays where it comes first."""
    return sorted(entries, key=lambda entry: _ORDER.index(entry.split))


def _stored(entry: Entry, seen: set[str], indices: Mapping[str, int], target: Target, tally: Tally) -> StoredImage:
    header = probe(entry.image)
    things = list(entry.things(header))
    digest = digest_of(entry.image)
    if digest in seen:
        raise UnusableError("another image of the data set has the same content; the platform keeps one")
    seen.add(digest)
    rows = []
    for thing in things:
        try:
            if isinstance(thing, Lost):
                raise ValueError(thing.reason)
            rows.append(to_row(thing, header, target, indices))
        except ValueError as error:
            tally.add(Kind.OBJECTS, str(error), entry.image)
    for row in rows:
        for change in row.changes:
            tally.add(Kind.CHANGES, change, entry.image)
    return _image(entry.image, digest, header, rows, target)


def _image(file: Path, digest: str, header: Probe, rows: Sequence[Row], target: Target) -> StoredImage:
    return StoredImage(
        source=file,
        digest=digest,
        extension=header.extension,
        shape=(header.height, header.width, header.channels),
        boxes=np.array([row.box for row in rows], np.int64).reshape(-1, 4),
        classes=np.array([row.class_index for row in rows], np.int64),
        angles=np.array([row.angle for row in rows], np.float64),
        masks=tuple(row.mask for row in rows) if _has_masks(rows, target) else (),
    )


def _has_masks(rows: Sequence[Row], target: Target) -> bool:
    return target.masks or any(row.mask.crowd for row in rows)
