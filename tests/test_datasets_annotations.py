"""Annotation files of each format become the same columns; every malformed one is named."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.contract import AnnotationFormat
from common.datasets import annotations
from common.datasets.dataset import Dataset, read_dataset
from common.datasets.index import read_training_index
from common.errors import DatasetError

NAMES = ("dog", "traffic light", "猫")
ARK, VOC, COCO = AnnotationFormat.ARK, AnnotationFormat.VOC, AnnotationFormat.COCO


def read_files(folder: Path, kind: AnnotationFormat, contents: Sequence[str | bytes | None]) -> Dataset:
    """Read one annotation file per image; None leaves the file out."""
    lines = []
    for i, content in enumerate(contents):
        file = folder / f"图 {i}"
        if content is not None:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        lines.append(f"/in/assets/图 {i}\t{file}\n")
    index = folder / "train-index.tsv"
    index.write_text("".join(lines), encoding="utf-8")
    return read_dataset(read_training_index(index), kind, NAMES)


def read_coco(folder: Path, document: Any, images: Sequence[str] = ("/in/a.jpg", "/in/图 b")) -> Dataset:
    file = folder / "coco-annotations.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    index = folder / "train-index.tsv"
    index.write_text("".join(f"{image}\t{file}\n" for image in images), encoding="utf-8")
    return read_dataset(read_training_index(index), COCO, NAMES)


def message_of(failure: pytest.ExceptionInfo[DatasetError]) -> str:
    return str(failure.value)


# ark


@pytest.mark.parametrize(
    ("line", "box", "quality", "angle"),
    [
        ("1, 10, 20, 30, 40, 0.5, 1.25", (10, 20, 31, 41), 0.5, 1.25),  # platform 2.x
        ("1, 10, 20, 30, 40, 0.8999999761581421, 0.0", (10, 20, 31, 41), 0.9, 0),  # a float32 in full
        ("1, 10, 20, 30, 40, -1.0", (10, 20, 31, 41), -1, 0),  # 6 columns
        ("1, 10, 20, 30, 40", (10, 20, 31, 41), -1, 0),  # platform 1.1.0
        ("1,10,20,30,40", (10, 20, 31, 41), -1, 0),  # no blanks
        ("  1 ,10,  20,30 ,\t40 \r", (10, 20, 31, 41), -1, 0),  # many blanks, a DOS line end
        ("1, 5, 5, 5, 5", (5, 5, 6, 6), -1, 0),  # one pixel
        ("1, -7, -9, 99999, 2", (-7, -9, 100000, 3), -1, 0),  # beyond the image: kept as it is
        ("1, 0.5, 1.5, 2.5, 3.5", (0.5, 1.5, 3.5, 4.5), -1, 0),  # made by hand
    ],
)
def test_an_ark_line_is_an_object_with_an_inclusive_max_corner(
    tmp_path: Path, line: str, box: tuple[float, ...], quality: float, angle: float
) -> None:
    dataset = read_files(tmp_path, ARK, [line])
    assert (dataset.classes.tolist(), dataset.boxes.tolist()) == ([1], [list(box)])
    assert dataset.quality == pytest.approx([quality])
    assert dataset.angles == pytest.approx([angle])


def test_columns_have_their_types_and_the_order_of_the_index(tmp_path: Path) -> None:
    dataset = read_files(tmp_path, ARK, ["0, 1, 1, 2, 2\n2, 3, 3, 4, 4\n", "", "\n \n", "1, 5, 5, 6, 6"])
    assert dataset.images == tuple(Path(f"/in/assets/图 {i}") for i in range(4))
    assert dataset.class_names == NAMES
    assert (dataset.image_index.tolist(), dataset.classes.tolist()) == ([0, 0, 3], [0, 2, 1])
    columns = (dataset.image_index, dataset.classes, dataset.boxes, dataset.angles, dataset.quality)
    assert [column.dtype for column in columns] == [np.int64, np.int64, np.float32, np.float32, np.float32]


def test_a_data_set_without_any_object_has_empty_columns(tmp_path: Path) -> None:
    dataset = read_files(tmp_path, ARK, ["", ""])
    assert (len(dataset.images), dataset.boxes.shape, dataset.classes.shape) == (2, (0, 4), (0,))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1, 2, 3, 4", ["4 columns", "5, 6 or 7", "rotate_angle"]),  # too few
        ("1 2 3 4 5", ["'1 2 3 4 5'", "1 columns"]),  # blanks instead of commas
        ("1, 2, 3, 4, 5, 6, 7, 8", ["8 columns"]),  # too many
        ("dog, 2, 3, 4, 5", ["'dog, 2, 3, 4, 5'", "not every column is a number"]),  # a name
        ("1, 2, 3, 4, ", ["not every column is a number"]),  # an empty column
        ("3, 2, 3, 4, 5", ["class index 3", "0 to 2"]),  # a class too many
        ("-1, 2, 3, 4, 5", ["class index -1", "0 to 2"]),  # negative
        ("0.5, 2, 3, 4, 5", ["class index 0.5", "0 to 2"]),  # between two classes
        ("1, 9, 3, 8, 5", ["xmax 8", "xmin 9", "max >= min"]),  # narrower than one pixel
        ("1, 2, 9, 4, 8", ["ymax 8", "ymin 9", "max >= min"]),  # lower than one pixel
        ("1, nan, 3, 4, 5", ["not finite"]),  # not a number, for float()
        ("1, 2, 3, inf, 5", ["not finite"]),  # infinite
        ("1, 2, 3, 1e30, 5", ["too large"]),  # no pixel
        ("nan, 2, 3, 4, 5", ["not finite"]),  # a class that cannot be an integer
        ("1, 2, 3, 4, 5, nan", ["not finite"]),  # quality
        (b"\xff\xfe1, 2, 3, 4, 5", ["not every column is a number"]),  # another encoding
    ],
)
def test_a_malformed_ark_line_is_refused_with_file_line_and_value(
    tmp_path: Path, line: str | bytes, words: list[str]
) -> None:
    raw = line if isinstance(line, bytes) else line.encode()
    with pytest.raises(DatasetError) as failure:
        read_files(tmp_path, ARK, ["", b"0, 1, 1, 2, 2\n\n" + raw + b"\n"])
    assert [word for word in [f"{tmp_path / '图 1'}:3: ", *words] if word not in message_of(failure)] == []


def test_mistakes_of_all_files_are_told_together_in_the_order_of_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotations, "FILES_AT_ONCE", 2)
    with pytest.raises(DatasetError, match=r"^12 problems: .*; and 2 more$") as failure:
        read_files(tmp_path, ARK, ["7, 1, 1, 2, 2", None, "", *("x\ny\n" for _ in range(5))])
    places = ["图 0:1: ", "图 1: cannot be read (No such file", "图 3:1: ", "图 3:2: ", "图 6:2: "]
    positions = [message_of(failure).index(place) for place in places]
    assert positions == sorted(positions)


def test_many_files_are_read_in_the_order_of_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations, "FILES_AT_ONCE", 3)
    dataset = read_files(tmp_path, ARK, [f"0, {i}, 0, {i}, 0\n" * (i % 3) for i in range(50)])
    expected = [i for i in range(50) for _ in range(i % 3)]
    assert dataset.image_index.tolist() == expected
    assert dataset.boxes[:, 0].tolist() == expected


# voc

BNDBOX = "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"


def voc(*objects: str) -> str:
    return f"<annotation><size><width>1</width><height>unknown</height></size>{''.join(objects)}</annotation>"


def voc_object(name: str = "dog", bndbox: str = BNDBOX, rest: str = "") -> str:
    texts = "<pose>unknown</pose><truncated>unknown</truncated><occluded>0</occluded><difficult>0</difficult>"
    return f"<object><name>{name}</name>{texts}{bndbox}{rest}</object>"


def test_a_voc_object_of_the_platform_is_read_with_its_words_for_numbers(tmp_path: Path) -> None:
    bndbox = BNDBOX.replace("</bndbox>", "<rotate_angle>0.7500</rotate_angle></bndbox>")
    dataset = read_files(tmp_path, VOC, [voc(voc_object(bndbox=bndbox, rest="<box_quality>0.5000</box_quality>"))])
    assert (dataset.classes.tolist(), dataset.boxes.tolist()) == ([0], [[10, 20, 31, 41]])
    assert (dataset.angles.tolist(), dataset.quality.tolist()) == ([0.75], [0.5])


@pytest.mark.parametrize(
    ("content", "classes", "first_corner"),
    [
        (voc(), [], []),  # an image without objects
        (voc(voc_object(bndbox="")), [], []),  # no bndbox: the platform's way to write an empty box
        (voc(voc_object(), voc_object("猫")), [0, 2], [10, 20]),  # Chinese
        (voc(voc_object(" Traffic Light\n")), [1], [10, 20]),  # lower-cased and stripped; a blank inside
        (voc(voc_object(bndbox=BNDBOX.replace(">10<", ">10.5<"))), [0], [10.5, 20]),  # floats, made by hand
        (voc(voc_object(bndbox=BNDBOX.replace(">10<", ">-3<"))), [0], [-3, 20]),  # beyond the image
        ('<?xml version="1.0" encoding="UTF-8"?>\n' + voc(voc_object("猫")), [2], [10, 20]),  # declared
    ],
)
def test_voc_files_are_read(tmp_path: Path, content: str, classes: list[int], first_corner: list[float]) -> None:
    dataset = read_files(tmp_path, VOC, [content])
    assert dataset.classes.tolist() == classes
    assert dataset.boxes[:1, :2].ravel().tolist() == first_corner


def test_class_names_are_matched_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(voc(voc_object("dog")), encoding="utf-8")
    (tmp_path / "i.tsv").write_text(f"/a\t{tmp_path / 'a.xml'}\n", encoding="utf-8")
    assert read_dataset(read_training_index(tmp_path / "i.tsv"), VOC, ["cat", " Dog"]).classes.tolist() == [1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["malformed XML"]),  # an empty file: VOC has no empty form
        ("<annotation><object>", ["malformed XML"]),  # cut off
        ("0, 1, 2, 3, 4", ["malformed XML"]),  # ark under the name of VOC
        ("<html/>", ["'html'", "'annotation'"]),  # something else
        (voc(voc_object(), voc_object("horse")), ["object 2", "'horse'", "'dog', 'traffic light', '猫'"]),  # unknown
        (voc("<object/>", voc_object("")), ["object 2", "name ''"]),  # no name
        (voc(voc_object(bndbox="<bndbox/>")), ["object 1", "xmin is ''", "a number"]),  # no corner
        (voc(voc_object(bndbox=BNDBOX.replace("30", "wide"))), ["object 1", "xmax is 'wide'", "a number"]),  # a word
        (voc(voc_object(bndbox=BNDBOX.replace("30", "9"))), ["object 1", "xmax 9", "max >= min"]),  # reversed
        (voc(voc_object(bndbox=BNDBOX.replace("30", "inf"))), ["object 1", "not finite"]),  # infinite
        (voc(voc_object(rest="<box_quality>good</box_quality>")), ["box_quality is 'good'"]),  # a word
        (None, ["cannot be read", "No such file"]),  # missing
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', ["malformed XML"]),  # an unknown encoding
        (
            '<?xml version="1.0" encoding="GBK"?><annotation/>',
            ["malformed XML", "encoding"],
        ),  # known to Python, not to expat
    ],
)
def test_a_malformed_voc_file_is_refused_with_file_object_and_value(
    tmp_path: Path, content: str | None, words: list[str]
) -> None:
    with pytest.raises(DatasetError) as failure:
        read_files(tmp_path, VOC, [voc(), content])
    assert [word for word in [f"{tmp_path / '图 1'}: ", *words] if word not in message_of(failure)] == []


# coco


def coco(*objects: dict[str, Any]) -> dict[str, Any]:
    """The platform's file: images of other index files too, and categories that miss a class."""
    names = ["other.jpg", "图 b", "a.jpg"]
    return {
        "images": [{"id": i, "file_name": name, "width": 9, "height": 9} for i, name in enumerate(names, 1)],
        "licenses": [{"id": 1, "name": "", "url": ""}],
        "categories": [{"id": 1, "name": "traffic light", "supercategory": "object"}],
        "annotations": [
            {"id": i, "area": 0, "segmentation": {}, "confidence": -1.0, "iscrowd": 0, **entry}
            for i, entry in enumerate(objects, 1)
        ],
    }


def coco_object(image: int = 3, category: int = 0, bbox: Any = (10, 20, 21, 31), **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "bbox": bbox, **more}


def test_coco_boxes_go_to_their_images_by_base_name_and_to_classes_by_index(tmp_path: Path) -> None:
    document = coco(coco_object(2, 2, [1, 2, 3, 4]), coco_object(3, 0), coco_object(2, 1, [0.5, 0, 0.25, 1]))
    dataset = read_coco(tmp_path, document)
    assert (dataset.image_index.tolist(), dataset.classes.tolist()) == ([0, 1, 1], [0, 2, 1])
    assert dataset.boxes.tolist() == [[10, 20, 31, 51], [1, 2, 4, 6], [0.5, 0, 0.75, 1]]
    assert (dataset.quality.tolist(), dataset.angles.tolist()) == ([-1, -1, -1], [0, 0, 0])


@pytest.mark.parametrize(
    "entry",
    [
        coco_object(iscrowd=1),  # a crowd is no single object
        coco_object(iscrowd=1, category=9, bbox=[]),  # whatever the rest says
        coco_object(image=1, category=9, bbox=[]),  # an image of another index: its own reader complains
        coco_object(image=77),  # an image that is not in the file
        coco_object(bbox=[1, 2, 0, 4]),  # empty: VOC leaves it out as well
        coco_object(bbox=[1, 2, 3, 0]),  # empty
    ],
)
def test_coco_annotations_that_are_no_object_of_these_images_are_skipped(tmp_path: Path, entry: dict[str, Any]) -> None:
    assert read_coco(tmp_path, coco(entry, coco_object(bbox=[5, 5, 1, 1]))).boxes.tolist() == [[5, 5, 6, 6]]


@pytest.mark.parametrize(
    "segmentation",
    [
        {},  # a box alone
        {"counts": "PPYo0", "size": [9, 9]},  # compressed RLE
        [[1, 1, 5, 1, 5, 5]],  # polygon
    ],
)
def test_coco_segmentation_of_any_form_does_not_disturb_the_boxes(tmp_path: Path, segmentation: Any) -> None:
    assert len(read_coco(tmp_path, coco(coco_object(segmentation=segmentation))).boxes) == 1


def test_a_coco_file_name_may_have_a_folder(tmp_path: Path) -> None:
    document = {"images": [{"id": 0, "file_name": "train/a.jpg"}], "annotations": [coco_object(0)]}
    assert len(read_coco(tmp_path, document, ["/elsewhere/a.jpg"]).boxes) == 1


def test_an_index_may_name_several_coco_files(tmp_path: Path) -> None:
    lines = []
    for i in range(2):
        file = tmp_path / f"{i}.json"
        document = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [coco_object(1, i)]}
        file.write_text(json.dumps(document), encoding="utf-8")
        lines.append(f"/in/{i}/a.jpg\t{file}\n")
    (tmp_path / "i.tsv").write_text("".join(lines), encoding="utf-8")
    dataset = read_dataset(read_training_index(tmp_path / "i.tsv"), COCO, NAMES)
    assert (dataset.image_index.tolist(), dataset.classes.tolist()) == ([0, 1], [0, 1])


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", ["malformed COCO JSON"]),  # an empty file
        ('{"images": [', ["malformed COCO JSON"]),  # cut off
        ("[]", ["malformed COCO JSON"]),  # another shape
        ({"images": []}, ["malformed COCO JSON", "annotations"]),  # a list is missing
        (coco(coco_object(category=3)), ["annotations[0]", "class index 3", "0 to 2"]),  # a class too many
        (coco(coco_object(), coco_object(category=-1)), ["annotations[1]", "class index -1"]),  # negative
        (coco(coco_object(bbox=[1, 2, 3])), ["annotations[0]", "[1.0, 2.0, 3.0]", "four numbers"]),  # three numbers
        ({**coco(), "annotations": [{"image_id": 2, "category_id": 0}]}, ["annotations[0]", "four numbers"]),  # no bbox
        (coco(coco_object(bbox=[1, 2, -3, 4])), ["annotations[0]", "-3.0", ">= 0"]),  # negative width
        (coco(coco_object(bbox=[1, 2, 3, 1e12])), ["annotations[0]", "too large"]),  # no pixel
        (coco(coco_object(bbox="wide")), ["malformed COCO JSON", "bbox"]),  # a word
        ({"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": []}, ["1 images", "'图 b'"]),  # an image less
    ],
)
def test_a_malformed_coco_file_is_refused_with_entry_and_value(tmp_path: Path, document: Any, words: list[str]) -> None:
    with pytest.raises(DatasetError) as failure:
        read_coco(tmp_path, document)
    place = f"{tmp_path / 'coco-annotations.json'}: "
    assert [word for word in [place, *words] if word not in message_of(failure)] == []


@pytest.mark.parametrize(
    ("images", "document", "words"),
    [
        (["/in/x/a.jpg", "/in/y/a.jpg"], coco(), ["repeats 'a.jpg'"]),  # two folders
        (["/in/a.jpg", "/in/a.jpg"], coco(), ["repeats 'a.jpg'"]),  # one line twice
        (["/a"], {"images": [{"id": i, "file_name": "a"} for i in (1, 2)], "annotations": []}, ["same"]),  # one name
        (["/a"], {"images": [{"id": 1, "file_name": n} for n in "ab"], "annotations": []}, ["same id"]),  # one id
    ],
)
def test_coco_images_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, images: list[str], document: Any, words: list[str]
) -> None:
    with pytest.raises(DatasetError) as failure:
        read_coco(tmp_path, document, images)
    assert [word for word in words if word not in message_of(failure)] == []


def test_a_missing_coco_file_is_told_once(tmp_path: Path) -> None:
    index = tmp_path / "i.tsv"
    index.write_text("".join(f"/in/{i}.jpg\t/nowhere/coco.json\n" for i in range(5)), encoding="utf-8")
    with pytest.raises(DatasetError, match=r"^/nowhere/coco.json: cannot be read \(No such file or directory\)$"):
        read_dataset(read_training_index(index), COCO, NAMES)


def test_the_format_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"export_format none .* allowed are ark:raw"):
        read_files(tmp_path, AnnotationFormat.NONE, [""])


def test_the_same_objects_read_the_same_in_all_three_formats(tmp_path: Path) -> None:
    for kind in (ARK, VOC, COCO):
        (tmp_path / kind).mkdir()
    from_ark = read_files(tmp_path / ARK, ARK, ["0, 10, 20, 30, 50, -1.0, 0.0\n"])
    from_voc = read_files(tmp_path / VOC, VOC, [voc(voc_object(bndbox=BNDBOX.replace("40", "50")))])
    from_coco = read_coco(tmp_path / COCO, coco(coco_object(bbox=[10, 20, 21, 31])), ["/in/a.jpg"])
    for name in ("image_index", "classes", "boxes", "angles", "quality"):
        columns = [getattr(dataset, name).tolist() for dataset in (from_ark, from_voc, from_coco)]
        assert columns == [columns[0]] * 3, name
