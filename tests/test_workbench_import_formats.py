"""Each format of a data set becomes a task that the engine's own readers read back."""

import json
import math

import cv2
import numpy as np
import pytest
from import_cases import (
    HEIGHT,
    ROTATED,
    SEGMENTATION,
    WIDTH,
    YOLO,
    coco_document,
    coco_set,
    imported,
    masks,
    objects,
    picture,
    text,
    yolo_set,
)
from pycocotools import mask as coco_mask

from common.contract import ObjectType
from common.masks import rle
from workbench.imports.entry import SourceError
from workbench.imports.yolo import label_file

FORMATS = ["ark:raw", "voc:raw", "coco:raw"]

# coco


@pytest.mark.parametrize("export", FORMATS)
def test_coco_boxes_are_read_back_in_every_form_of_the_platform(tmp_path, export):
    source = coco_set(
        tmp_path / "coco",
        [
            {"image_id": 1, "category_id": 7, "bbox": [2.4, 3.6, 10, 5]},
            {"image_id": 1, "category_id": 3, "bbox": [0, 0, 40, 30]},
        ],
        val=[{"image_id": 1, "category_id": 7, "bbox": [-2, 1, 5, 5]}],  # beyond the border, as it is
    )
    task, lost = imported("coco", source, tmp_path / "task", changes={"export_format": export})
    assert task.class_names == ["cat", "dog"]  # by category id, as the platform writes names
    assert objects(task) == {"a.png": [("dog", 2, 4, 12, 9), ("cat", 0, 0, 40, 30)], "b.jpg": []}
    assert objects(task, "val") == {"c.bmp": [("dog", -2, 1, 3, 6)]}
    assert lost == []


def polygon_mask(points):
    return rle.decode(rle.encode_polygon(points, (HEIGHT, WIDTH)), (HEIGHT, WIDTH))


def test_coco_masks_are_read_back_whatever_way_they_were_written(tmp_path):
    one, other = [2, 2, 12, 2, 12, 12, 2, 12], [20, 5, 30, 5, 25, 15]
    runs = {"counts": [100, 40, HEIGHT * WIDTH - 140], "size": [HEIGHT, WIDTH]}
    packed = coco_mask.encode(np.asfortranarray(polygon_mask(other), np.uint8))
    packed["counts"] = packed["counts"].decode()
    segmentations = [[one], [one, other], runs, packed]
    annotations = [
        {"image_id": 1, "category_id": 7, "bbox": [0, 0, 9, 9], "segmentation": each} for each in segmentations
    ]
    source = coco_set(tmp_path / "coco", annotations)
    task, lost = imported("coco", source, tmp_path / "task", SEGMENTATION, object_type=ObjectType.INSTANCE)
    found = [mask for _, mask in masks(task)["a.png"]]
    strip = rle.decode(coco_mask.frPyObjects(runs, HEIGHT, WIDTH)["counts"], (HEIGHT, WIDTH))
    wanted = [polygon_mask(one), polygon_mask(one) | polygon_mask(other), strip, polygon_mask(other)]
    assert all(np.array_equal(mask, each) for mask, each in zip(found, wanted, strict=True))
    assert lost == []
    written = json.loads((tmp_path / "task/in/annotations/coco-annotations.json").read_text(encoding="utf-8"))
    kinds = [type(each["segmentation"]).__name__ for each in written["annotations"]]
    assert kinds == ["list", "dict", "dict", "dict"]  # one ring of whole numbers, and compressed runs
    assert [each["area"] for each in written["annotations"]] == [int(mask.sum()) for mask in wanted]


LOST_COCO = [
    ({"bbox": [1, 1, 0.2, 9]}, "it is less than a pixel wide or high"),
    ({"bbox": []}, "it has neither a bbox of four numbers nor a mask"),
    ({"bbox": [1, 1, 1e12, 2]}, "a coordinate of it is not a usable number"),
    ({"bbox": [1, 1, 9, 9], "iscrowd": 1}, "it is a crowd, which ark cannot mark"),
    ({"bbox": [1, 1, 9, 9], "category_id": 99}, "its category_id is in no entry of categories"),
]


@pytest.mark.parametrize(("annotation", "reason"), LOST_COCO)
def test_an_object_that_the_platform_cannot_have_is_counted_with_the_reason(tmp_path, annotation, reason):
    source = coco_set(tmp_path / "coco", [{"image_id": 1, "category_id": 7} | annotation])
    task, lost = imported("coco", source, tmp_path / "task")
    assert objects(task)["a.png"] == []
    assert lost == [("OBJECTS", 1, reason)]


LOST_MASKS = [
    ([[1, 1, 5, 5]], "a polygon of it has fewer than three corners"),
    ([[1, 1, 1e9, 1, 5, 5]], "a coordinate of it is not a usable number"),
    ([[100, 100, 120, 100, 110, 120]], "its mask has no pixel"),
    ({"counts": [5, 5], "size": [1, 10]}, "its run lengths are for a size other than that of the image"),
    ({"counts": [5, 5], "size": [HEIGHT, WIDTH]}, "its run lengths are malformed"),
    ({"counts": "é", "size": [HEIGHT, WIDTH]}, "its run lengths are malformed"),
]


@pytest.mark.parametrize(("segmentation", "reason"), LOST_MASKS)
def test_a_mask_that_is_none_is_counted_with_the_reason(tmp_path, segmentation, reason):
    annotation = {"image_id": 1, "category_id": 7, "bbox": [1, 1, 9, 9], "segmentation": segmentation}
    source = coco_set(tmp_path / "coco", [annotation, annotation | {"segmentation": [[1, 1, 9, 1, 9, 9]]}])
    task, lost = imported("coco", source, tmp_path / "task", SEGMENTATION, object_type=ObjectType.SEMANTIC)
    assert len(masks(task)["a.png"]) == 1
    assert lost == [("OBJECTS", 1, reason)]


def test_a_crowd_stays_one_where_the_form_can_say_it(tmp_path):
    runs = {"counts": [0, 90, HEIGHT * WIDTH - 90], "size": [HEIGHT, WIDTH]}
    crowd = {"image_id": 1, "category_id": 7, "bbox": [0, 0, 3, 30], "iscrowd": 1, "segmentation": runs}
    source = coco_set(tmp_path / "coco", [crowd, crowd | {"iscrowd": 0}])
    task, lost = imported("coco", source, tmp_path / "task", changes={"export_format": "coco:raw"})
    assert objects(task)["a.png"] == [("dog", 0, 0, 3, 30)]  # the engine leaves crowds out
    assert lost == [("CHANGES", 2, "its mask is left out: the project labels boxes")]


def test_a_box_in_a_project_of_masks_is_told(tmp_path):
    source = coco_set(tmp_path / "coco", [{"image_id": 1, "category_id": 7, "bbox": [1, 1, 9, 9]}])
    _, lost = imported("coco", source, tmp_path / "task", SEGMENTATION, object_type=ObjectType.INSTANCE)
    assert lost == [("CHANGES", 1, "it has no mask: nothing is learned from it")]


def test_a_coco_file_beside_the_images_of_each_split_is_found(tmp_path):
    for split, value in (("train", 1), ("valid", 2)):
        picture(tmp_path / "set" / split / "x.jpg", value)
        document = coco_document([("x.jpg", WIDTH, HEIGHT)], [{"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]}])
        text(tmp_path / "set" / split / "_annotations.coco.json", json.dumps(document))
    task, lost = imported("coco", tmp_path / "set", tmp_path / "task")
    assert objects(task) == objects(task, "val") == {"x.jpg": [("dog", 1, 2, 4, 6)]}
    assert lost == []


def test_images_that_do_not_fit_their_labels_are_left_out(tmp_path):
    source = coco_set(tmp_path / "coco", [])
    document = coco_document([("a.png", WIDTH + 1, HEIGHT), ("gone.png", 9, 9), ("b.jpg", WIDTH, HEIGHT)], [])
    text(source / "annotations" / "instances_train2017.json", json.dumps(document))
    task, lost = imported("coco", source, tmp_path / "task")
    assert list(objects(task)) == ["b.jpg"]
    assert lost == [
        ("IMAGES", 1, "the data set lists it, but there is no such file"),
        ("IMAGES", 1, "its labels are for a size other than that of the stored image"),
    ]


def test_annotations_of_no_image_are_counted(tmp_path):
    source = coco_set(tmp_path / "coco", [{"image_id": 77, "category_id": 7, "bbox": [1, 1, 5, 5]}] * 3)
    _, lost = imported("coco", source, tmp_path / "task")
    assert lost == [("OBJECTS", 3, "its image_id is in no entry of images")]


@pytest.mark.parametrize("form", ["voc", "dota"])
def test_images_without_labels_are_counted_but_masks_are_not_taken_for_such(tmp_path, form):
    source = voc_set(tmp_path / "set") if form == "voc" else dota_set(tmp_path / "set", dota_line(20, 15, 16, 8, 0))
    picture(source / ("JPEGImages" if form == "voc" else "train/images") / "unseen.png", 77)
    if form == "voc":
        picture(source / "SegmentationClass" / "a.png", 1)
    _, lost = imported(form, source, tmp_path / "task")
    assert ("IMAGES", 1, "it has no label file; if it shows nothing, add an empty one") in lost


def test_category_ids_that_mean_two_things_are_refused(tmp_path):
    source = coco_set(tmp_path / "coco", [])
    document = coco_document([("c.bmp", WIDTH, HEIGHT)], [], categories=((7, "cat"),))
    text(source / "annotations" / "instances_val2017.json", json.dumps(document))
    with pytest.raises(SourceError, match="category 7 is 'cat', but 'Dog' in another file"):
        imported("coco", source, tmp_path / "task")


# yolo


@pytest.mark.parametrize("export", FORMATS)
def test_yolo_boxes_are_read_back_in_every_form_of_the_platform(tmp_path, export):
    labels = ["0 0.25 0.5 0.5 0.2", "1 0.5 0.5 1 1"]
    task, lost = imported(
        "yolo", yolo_set(tmp_path / "yolo", labels), tmp_path / "task", changes={"export_format": export}
    )
    assert objects(task) == {"a.png": [("dog", 0, 12, 20, 18), ("cat", 0, 0, 40, 30)]}
    assert objects(task, "val") == {"b.png": []}  # no label file: no object
    assert lost == []


def test_yolo_polygons_become_masks_or_boxes(tmp_path):
    source = yolo_set(tmp_path / "yolo", ["1 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5"])
    task, lost = imported("yolo", source, tmp_path / "masks", SEGMENTATION, object_type=ObjectType.INSTANCE)
    [(name, mask)] = masks(task)["a.png"]
    assert (name, lost) == ("cat", [])
    assert np.array_equal(mask, polygon_mask([4, 3, 20, 3, 20, 15, 4, 15]))
    task, lost = imported("yolo", source, tmp_path / "boxes")
    assert objects(task)["a.png"] == [("cat", 4, 3, 20, 15)]
    assert lost == [("CHANGES", 1, "its outline became a box")]


def test_four_corners_of_yolo_are_a_rotated_box_where_the_image_finds_such(tmp_path):
    corners = cv2.boxPoints(((20, 15), (16, 8), 30)) / (WIDTH, HEIGHT)
    source = yolo_set(tmp_path / "yolo", [f"0 {' '.join(map(str, corners.ravel()))}"])
    task, _ = imported("yolo", source, tmp_path / "task", ROTATED)
    assert objects(task)["a.png"] in (
        [("dog", 12, 11, 28, 19, pytest.approx(math.pi / 6, abs=1e-3))],
        [("dog", 16, 7, 24, 23, pytest.approx(-math.pi / 3, abs=1e-3))],
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 a b c d", "its line has something other than numbers"),
        ("5 0.5 0.5 0.1 0.1", "its class number is not in names"),
        ("0 0.5 0.5 0.1", "its line is neither `class cx cy w h` nor a class and three corners or more"),
        ("0 0.5 0.5 0.1 0", "it is less than a pixel wide or high"),
        ("0 nan 0.5 0.1 0.1", "a coordinate of it is not a usable number"),
        ("0 0.1 0.1 nan 0.1 0.5 0.5", "a coordinate of it is not a usable number"),
    ],
)
def test_a_line_of_yolo_that_says_nothing_is_counted_with_the_reason(tmp_path, line, reason):
    task, lost = imported("yolo", yolo_set(tmp_path / "yolo", [line]), tmp_path / "task")
    assert objects(task)["a.png"] == []
    assert ("OBJECTS", 1, reason) in lost


def test_yolo_labels_of_an_image_that_exif_turns_are_not_guessed(tmp_path):
    from PIL import Image

    source = yolo_set(tmp_path / "yolo", [], splits=("train", "val"))
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (WIDTH, HEIGHT)).save(source / "images/train/t.jpg", exif=turned)
    text(source / "labels/train/t.txt", "0 0.5 0.5 0.1 0.1")
    task, lost = imported("yolo", source, tmp_path / "task")
    assert list(objects(task)) == ["a.png"]
    assert lost == [("IMAGES", 1, "EXIF rotates it, and its labels are for the rotated image: save it rotated")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("names: [a]\ntrain: gone\n", "train is 'gone', which is neither a folder nor a file"),
        ("names: [a]\n", "no image is found"),
        ("train: images/train\n", "names is None"),
        ("- a\n", "holds list"),
        ("a: [\n", "not a YAML file"),
    ],
)
def test_a_data_yaml_that_does_not_lead_to_images_is_refused(tmp_path, content, message):
    source = yolo_set(tmp_path / "yolo", [])
    text(source / "data.yaml", content)
    with pytest.raises(SourceError, match=message):
        imported("yolo", source, tmp_path / "task")


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("names: {0: b, 1: a}\ntrain: ../images/train\nval: images/val\n", ["b", "a"]),  # as Roboflow writes it
        ("nc: 2\ntrain: images/train\nval: [images/val]\n", ["0", "1"]),
        ("names: [a, b]\npath: .\ntrain: train.txt\nval: images/val\n", ["a", "b"]),  # a list of files
    ],
)
def test_data_yaml_may_say_it_in_several_ways(tmp_path, content, names):
    source = yolo_set(tmp_path / "yolo", ["1 0.5 0.5 1 1"])
    text(source / "train.txt", "./images/train/a.png")
    text(source / "data.yaml", content)
    task, _ = imported("yolo", source / "data.yaml", tmp_path / "task")
    assert task.class_names == names
    assert objects(task)["a.png"] == [(names[1], 0, 0, 40, 30)]


def test_labels_lie_in_labels_where_images_lie_in_images_or_beside_them(tmp_path):
    assert label_file(tmp_path / "images" / "x" / "images" / "a.b.jpg") == tmp_path / "images/x/labels/a.b.txt"
    assert label_file(tmp_path / "train" / "a.jpg") == tmp_path / "train" / "a.txt"


# voc


def voc_xml(name, *items, size=(WIDTH, HEIGHT), more=""):
    """`(class, xmin, ymin, xmax, ymax)` objects; `more` goes into each bndbox."""
    found = "".join(
        f"<object><name>{label}</name><difficult>1</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
        f"<xmax>{x2}</xmax><ymax>{y2}</ymax>{more}</bndbox></object>"
        for label, x1, y1, x2, y2 in items
    )
    width, height = size
    sides = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>{name}</filename>{sides}{found}</annotation>"


def voc_set(root, *, lists=True):
    for i, name in enumerate(("a", "b", "c", "d")):
        picture(root / "JPEGImages" / f"{name}.jpg", 10 * i)
        text(root / "Annotations" / f"{name}.xml", voc_xml(f"{name}.jpg", ("Dog", 1, 2, 10, 20)))
    if lists:
        for split, names in (("train", ["a", "b 1"]), ("val", ["c"]), ("cat_train", ["d -1"])):
            text(root / "ImageSets" / "Main" / f"{split}.txt", *names)
    return root


@pytest.mark.parametrize("export", FORMATS)
def test_voc_boxes_keep_their_inclusive_corners(tmp_path, export):
    task, lost = imported("voc", voc_set(tmp_path / "voc"), tmp_path / "task", changes={"export_format": export})
    assert objects(task) == {name: [("dog", 1, 2, 11, 21)] for name in ("a.jpg", "b.jpg")}
    assert objects(task, "val") == {"c.jpg": [("dog", 1, 2, 11, 21)]}
    assert lost == [("IMAGES", 1, "they are in no split, though the data set has splits")]


def test_voc_angles_of_the_platform_are_kept_for_an_image_that_finds_them(tmp_path):
    source = voc_set(tmp_path / "voc")
    more = "<rotate_angle>0.5236</rotate_angle>"
    text(source / "Annotations" / "a.xml", voc_xml("a.jpg", ("Dog", 12, 11, 27, 18), more=more))
    task, _ = imported("voc", source, tmp_path / "rotated", ROTATED)
    assert objects(task)["a.jpg"] == [("dog", 12, 11, 28, 19, 0.5236)]
    task, _ = imported("voc", source, tmp_path / "pi", ROTATED, changes={"angle_unit": "pi"})
    assert objects(task)["a.jpg"] == [("dog", 12, 11, 28, 19, 0.1667)]
    task, lost = imported("voc", source, tmp_path / "upright", YOLO)
    assert objects(task)["a.jpg"] == [("dog", 11, 8, 29, 22)]
    assert ("CHANGES", 1, "its rotated box became the upright one around it") in lost


def test_what_voc_files_lack_is_counted(tmp_path):
    source = voc_set(tmp_path / "voc", lists=False)
    (source / "JPEGImages" / "d.jpg").unlink()
    text(source / "Annotations" / "c.xml", "<annotation>")
    text(source / "Annotations" / "b.xml", voc_xml("b.jpg", ("", 1, 2, 3, 4), ("dog", "x", 2, 3, 4)))
    text(
        source / "Annotations" / "a.xml",
        "<annotation><filename>a.jpg</filename><object><name>x</name></object></annotation>",
    )
    text(source / "Annotations" / "e.xml", voc_xml("e.jpg", ("dog", 1, 2, 3, 4), size=("?", 1)))
    picture(source / "JPEGImages" / "e.jpg", 99)
    task, lost = imported("voc", source, tmp_path / "task", val_share=0.3)
    assert sum(len(rows) for split in ("training", "val") for rows in objects(task, split).values()) == 1
    assert set(lost) == {
        ("IMAGES", 1, "its XML file is malformed"),
        ("IMAGES", 1, "it has an XML file, but there is no such image"),
        ("OBJECTS", 1, "it has no name"),
        ("OBJECTS", 1, "it has no bndbox"),
        ("OBJECTS", 1, "a corner of its bndbox is missing or not a number"),
    }


def test_xml_files_beside_their_images_are_found_by_folder_names(tmp_path):
    for split, value in (("train", 1), ("test", 2), ("valid", 3)):
        picture(tmp_path / "set" / split / "x.png", value)
        text(tmp_path / "set" / split / "x.xml", voc_xml("renamed.png", ("dog", 1, 1, value, 9)))
    task, lost = imported("voc", tmp_path / "set", tmp_path / "task")
    assert objects(task) == {"x.png": [("dog", 1, 1, 2, 10)]}
    assert objects(task, "val") == {"x.png": [("dog", 1, 1, 4, 10)]}
    assert lost == [("IMAGES", 1, "they are test images, which a training does not use")]


# dota


def dota_line(cx, cy, w, h, degrees, label="large-vehicle", difficulty="1"):
    corners = cv2.boxPoints(((cx, cy), (w, h), degrees)).ravel()
    return " ".join([*(f"{value:.3f}" for value in corners), label, difficulty])


def dota_set(root, *lines):
    for split, value in (("train", 5), ("val", 6)):
        picture(root / split / "images" / "P0001.png", value)
        header = ("imagesource:GoogleEarth", "gsd:0.146")
        text(root / split / "labelTxt" / "P0001.txt", *header, *(lines if split == "train" else ()))
    return root


@pytest.mark.parametrize("export", ["ark:raw", "voc:raw"])
def test_dota_objects_are_rotated_boxes(tmp_path, export):
    source = dota_set(tmp_path / "dota", dota_line(20, 15, 16, 8, 30), dota_line(10, 10, 6, 4, 0, "Ship", ""))
    task, lost = imported("dota", source, tmp_path / "task", ROTATED, changes={"export_format": export})
    assert task.class_names == ["large-vehicle", "ship"]
    large, ship = objects(task)["P0001.png"]
    box, angle = np.array(large[1:5]), large[5]
    middle, sides = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    assert middle.tolist() == [20, 15]
    quarter_turns = (angle - math.radians(30)) / (math.pi / 2)
    assert quarter_turns == pytest.approx(round(quarter_turns), abs=1e-3)
    assert sides.tolist() == ([16, 8] if round(quarter_turns) % 2 == 0 else [8, 16])
    corners = cv2.boxPoints((ship[1:3], (0, 0), 0)).min(axis=0)
    assert corners.tolist() in ([7, 8], [8, 7])
    assert lost == []


def test_dota_for_an_image_of_upright_boxes_is_the_boxes_around(tmp_path):
    source = dota_set(tmp_path / "dota", dota_line(20, 15, 16, 8, 90))
    task, lost = imported("dota", source, tmp_path / "task")
    assert objects(task)["P0001.png"] == [("large-vehicle", 16, 7, 24, 23)]
    assert [row for row in lost if "rotated" not in row[2]] == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1 2 3 4 5 6 7 8", "its line does not have eight coordinates and a class"),
        ("1 2 3 4 5 6 x 8 ship 0", "a coordinate is not a number"),
        ("1 1 1 1 1 1 1 1 ship 0", "it is less than a pixel wide or high"),
    ],
)
def test_a_line_of_dota_that_says_nothing_is_counted_with_the_reason(tmp_path, line, reason):
    source = dota_set(tmp_path / "dota", line, dota_line(20, 15, 16, 8, 0))
    text(source / "val" / "labelTxt" / "P0009.txt", line)
    task, lost = imported("dota", source, tmp_path / "task", ROTATED)
    assert len(objects(task)["P0001.png"]) == 1
    assert ("OBJECTS", 1, reason) in lost
    assert ("IMAGES", 1, "it has labels, but there is no such image") in lost


@pytest.mark.parametrize("form", ["coco", "yolo", "voc", "dota", "folder"])
def test_a_folder_without_a_data_set_is_refused_with_what_was_expected(tmp_path, form):
    from workbench.imports.task import READERS

    with pytest.raises(SourceError, match=r"Give|Write"):
        READERS[form](tmp_path)
