"""Pascal VOC annotations as the platform writes them: one XML file per image, one `object` element per object."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from common.datasets.objects import UNKNOWN_QUALITY, UNROTATED, Objects, exclusive
from common.datasets.problems import quote


def class_indices(class_names: Sequence[str]) -> dict[str, int]:
    """Map normalised names to class indices."""
    return {_normalised(name): index for index, name in enumerate(class_names)}


def parse_voc(content: bytes, image: int, objects: Objects, indices: Mapping[str, int]) -> None:
    """Add the objects of one file. Objects without `bndbox`, which the platform writes for empty boxes, are skipped.

    Only `name`, `bndbox` (inclusive max corner; `rotate_angle` optional) and `box_quality` are read. The platform
    writes words where VOC has numbers (`pose`, `truncated`), and its `size` is not reliable.

    Args:
        content: the XML file.
        image: position of the image in the index.
        objects: receives the objects, and malformed ones as problems.
        indices: see `class_indices`.
    """
    try:
        root = _parse_xml(content)
    except ValueError as error:
        objects.problems.append((image, f": {error}"))
        return
    for number, element in enumerate(root.iterfind("object"), 1):
        bndbox = element.find("bndbox")
        if bndbox is not None:
            try:
                objects.add(image, _row(element, bndbox, indices))
            except ValueError as error:
                objects.problems.append((image, f": object {number}: {error}"))


def _parse_xml(content: bytes) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 (expat itself stops entity bombs)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ValueError(f"malformed XML ({error})") from None
    if root.tag != "annotation":
        raise ValueError(f"the root element is {quote(root.tag)}; expected 'annotation'")
    return root


def _row(element: ElementTree.Element, bndbox: ElementTree.Element, indices: Mapping[str, int]) -> tuple[float, ...]:
    name = element.findtext("name", "")
    index = indices.get(_normalised(name))
    if index is None:
        raise ValueError(f"name {quote(name)} is not in class_names; allowed are {', '.join(map(repr, indices))}")
    corners = exclusive(*(_number(bndbox, tag) for tag in ("xmin", "ymin", "xmax", "ymax")))
    quality = _number(element, "box_quality", str(UNKNOWN_QUALITY))
    return (index, *corners, quality, _number(bndbox, "rotate_angle", str(UNROTATED)))


def _number(element: ElementTree.Element, tag: str, default: str = "") -> float:
    text = element.findtext(tag, default)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{tag} is {quote(text)}; expected a number") from None


def _normalised(name: str) -> str:
    return name.strip().lower()
