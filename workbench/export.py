"""Annotation files as the platform writes them. Maximum corners become inclusive here, as the platform's are.

COCO has no angle: there, a rotated object is the box that it has when it is turned back.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import numpy as np

from common.contract import DEFAULT_EXPORT_FORMAT, EXPORT_WORDS, AnnotationFormat
from workbench.asset import NO_MASK, Asset
from workbench.sample import Boxes

COCO_FILE: Final = "coco-annotations.json"
RADIAN: Final = 1.0

_SUFFIXES: Final = {AnnotationFormat.ARK: ".txt", AnnotationFormat.VOC: ".xml"}


def annotation_format(export_format: str | None) -> AnnotationFormat:
    """Annotations that the platform exports for a value of `export_format`: unknown words give none, no value voc."""
    return EXPORT_WORDS.get((export_format or DEFAULT_EXPORT_FORMAT).partition(":")[0].lower(), AnnotationFormat.NONE)


def write_annotations(
    folder: Path,
    assets: Mapping[Path, Asset],
    class_names: Sequence[str],
    known: Sequence[str],
    wanted: AnnotationFormat,
    angle_unit: float = RADIAN,
) -> dict[Path, Path]:
    """Writes the annotation file of every image.

    Args:
        folder: where the files go, `/in/annotations` or `/in/predictions`.
        assets: the samples by the absolute paths of their image files.
        class_names: the classes in the order of their indices.
        known: the classes that the platform lists in a COCO file: those of the training set.
        wanted: not `NONE`.
        angle_unit: radians that an angle of 1 in a file stands for.

    Returns:
        The annotation file of each image file.
    """
    if wanted is AnnotationFormat.COCO:
        file = folder / COCO_FILE
        file.write_text(json.dumps(to_coco(assets, class_names, known)), encoding="utf-8")
        return dict.fromkeys(assets, file)
    files = {}
    for path, sample in assets.items():
        if wanted is AnnotationFormat.ARK:
            text = to_ark(sample, angle_unit)
        else:
            text = to_voc(path, sample, class_names, angle_unit)
        files[path] = folder / (sample.label + _SUFFIXES[wanted])
        files[path].parent.mkdir(parents=True, exist_ok=True)
        files[path].write_text(text, encoding="utf-8")
    return files


def to_ark(sample: Asset, angle_unit: float = RADIAN) -> str:
    """One line an object: class index, corners, quality (-1.0 = unknown), angle. Empty without objects."""
    return "".join(
        f"{index}, {x1}, {y1}, {x2 - 1}, {y2 - 1}, -1.0, {angle}\n"
        for index, x1, y1, x2, y2, angle in _rows(sample, angle_unit)
    )


def to_voc(path: Path, sample: Asset, class_names: Sequence[str], angle_unit: float = RADIAN) -> str:
    """An XML document on one line, whose `filename` is the whole path `path`."""
    height, width, depth = sample.shape
    root = ElementTree.Element("annotation")
    _add(root, folder="ymir", filename=path)
    _add(ElementTree.SubElement(root, "source"), annotation="ymir", image="ymir")
    _add(ElementTree.SubElement(root, "size"), width=width, height=height, depth=depth)
    _add(root, segmented=0, image_quality="0.0000")
    for index, x1, y1, x2, y2, angle in _rows(sample, angle_unit):
        item = ElementTree.SubElement(root, "object")
        _add(item, name=class_names[index], pose="unknown", truncated="unknown", occluded=0)
        corners = ElementTree.SubElement(item, "bndbox")
        _add(corners, xmin=x1, ymin=y1, xmax=x2 - 1, ymax=y2 - 1, rotate_angle=f"{angle:.4f}")
        _add(item, difficult=0, box_quality="-1.0000", confidence="-1.0000")
    return ElementTree.tostring(root, encoding="unicode")


def to_coco(assets: Mapping[Path, Asset], class_names: Sequence[str], known: Sequence[str]) -> dict[str, object]:
    """A COCO document whose `categories` lack every class that is not `known`: an error of the platform, kept."""
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for image_id, (path, sample) in enumerate(sorted(assets.items(), key=lambda item: item[0].name), 1):
        height, width, _ = sample.shape
        images.append(
            {"id": image_id, "file_name": path.name, "width": width, "height": height}
            | {"date_captured": "", "license": 1, "coco_url": "", "flickr_url": ""}
        )
        masks = sample.masks or [NO_MASK] * len(sample.classes)
        for index, bbox, mask in zip(sample.classes.tolist(), _to_xywh(sample.boxes), masks, strict=True):
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image_id, "category_id": index, "bbox": bbox}
                | {"iscrowd": int(mask.crowd), "confidence": -1.0}
                | {"area": mask.area, "segmentation": mask.segmentation}
            )
    categories = [
        {"id": index, "name": name, "supercategory": "object"}
        for index, name in enumerate(class_names)
        if name in known
    ]
    return {"images": images, "categories": categories, "annotations": annotations}


def _rows(sample: Asset, angle_unit: float) -> Iterator[tuple[int, int, int, int, int, float]]:
    """Class index, corners and angle of each object; the platform keeps angles as float32."""
    angles = (sample.angles / angle_unit).astype(np.float32).tolist()
    for index, (x1, y1, x2, y2), angle in zip(sample.classes.tolist(), sample.boxes.tolist(), angles, strict=True):
        yield index, x1, y1, x2, y2, angle


def _to_xywh(boxes: Boxes) -> list[list[int]]:
    return [[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in boxes.tolist()]


def _add(parent: ElementTree.Element, **texts: object) -> None:
    for tag, text in texts.items():
        ElementTree.SubElement(parent, tag).text = str(text)
