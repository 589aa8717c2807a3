"""COCO annotations as the platform writes them: one JSON file for all images of all index files.

Images are matched by base name. `category_id` is the class index; `categories` is ignored, because the platform omits
the classes that only occur in the validation set.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from common.datasets.index import Sample, duplicate_names
from common.datasets.objects import UNKNOWN_QUALITY, UNROTATED, Objects
from common.datasets.problems import quote


class CocoImage(msgspec.Struct, gc=False):
    """Entry of `images`, as far as it is read."""

    id: int
    file_name: str


class CocoAnnotation(msgspec.Struct):
    """Entry of `annotations`, as far as it is read."""

    image_id: int
    category_id: int
    bbox: list[float] = []
    iscrowd: int = 0


class CocoDocument(msgspec.Struct):
    """The file, as far as it is read. msgspec skips everything else without building objects."""

    images: Sequence[CocoImage]
    annotations: Sequence[CocoAnnotation]


Document = TypeVar("Document", bound=CocoDocument)


def read_coco(samples: Sequence[Sample], objects: Objects) -> None:
    """Add the boxes of all images, file by file; `annotations` may be in any order. Crowds and empty boxes are skipped.

    Args:
        samples: lines of the index; usually they all name one file.
        objects: receives the objects, and malformed entries as problems.
    """
    for document, image_of in read_documents(samples, CocoDocument, objects.problems):
        add_boxes(document, image_of, objects)


def read_documents(
    samples: Sequence[Sample], kind: type[Document], problems: list[tuple[int, str]]
) -> Iterator[tuple[Document, dict[int, int]]]:
    """Read each file that the index names.

    Args:
        samples: lines of the index.
        kind: type that a file is decoded as.
        problems: receives the mistakes; a malformed file is left out.

    Yields:
        A document, and positions in the index by its image ids.
    """
    images_of: dict[Path, list[int]] = defaultdict(list)
    for image, sample in enumerate(samples):
        images_of[sample.annotation].append(image)
    for file, images in images_of.items():
        try:
            document = msgspec.json.decode(file.read_bytes(), type=kind)
            image_of = match_images(document, {image: samples[image].image for image in images})
        except OSError as error:
            problems.append((images[0], f": cannot be read ({error.strerror})"))
        except msgspec.DecodeError as error:
            problems.append((images[0], f": malformed COCO JSON ({error})"))
        except ValueError as error:
            problems.append((images[0], f": {error}"))
        else:
            yield document, image_of


def match_images(document: CocoDocument, images: Mapping[int, Path]) -> dict[int, int]:
    """Map image ids of the file to positions in the index, for the images of this index.

    Args:
        document: the file, which also holds the images of other indexes.
        images: images of this index by position.

    Raises:
        ValueError: a base name or an id occurs twice, or an image is not in the file.
    """
    if repeated := duplicate_names(images.values()):
        raise ValueError(f"images are matched by base name, but the index repeats {_some(repeated)}; allowed is once")
    ids = {_base_name(entry.file_name): entry.id for entry in document.images}
    if len(ids) < len(document.images) or len(set(ids.values())) < len(ids):
        raise ValueError("two entries of `images` have the same id or the same base name of file_name")
    if absent := [path.name for path in images.values() if path.name not in ids]:
        raise ValueError(f"{len(absent)} images of the index are not in `images`: {_some(absent)}")
    return {ids[path.name]: image for image, path in images.items()}


def add_boxes(document: CocoDocument, image_of: Mapping[int, int], objects: Objects) -> None:
    """Add `bbox` of each annotation of these images. Empty boxes are skipped, as in the platform's VOC files."""
    for position, image, annotation in single_objects(document, image_of):
        try:
            row = _row(annotation)
            if row is not None:
                objects.add(image, row)
        except ValueError as error:
            objects.problems.append((image, f": annotations[{position}]: {error}"))


def single_objects(document: CocoDocument, image_of: Mapping[int, int]) -> Iterator[tuple[int, int, CocoAnnotation]]:
    """Yield position in the file, position of the image in the index, and annotation, for all but crowds."""
    for position, annotation in enumerate(document.annotations):
        image = image_of.get(annotation.image_id)
        if image is not None and not annotation.iscrowd:
            yield position, image, annotation


def _row(annotation: CocoAnnotation) -> tuple[float, ...] | None:
    """Make a row of `Objects`; None for an empty box."""
    if len(annotation.bbox) != 4:
        raise ValueError(f"bbox {annotation.bbox}; expected four numbers x, y, width, height")
    x, y, width, height = annotation.bbox
    if width < 0 or height < 0:
        raise ValueError(f"bbox {annotation.bbox}; allowed are width and height >= 0")
    row = (annotation.category_id, x, y, x + width, y + height, UNKNOWN_QUALITY, UNROTATED)
    return row if width and height else None


def _base_name(file_name: str) -> str:
    return file_name.rpartition("/")[2]


def _some(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(quote(name) for name in list(names)[:3]) + (", ..." if len(names) > 3 else "")
