"""Segmentation in the workbench: scenes with masks, the platform's file of them, and the check of what comes back."""

import json
from typing import Any

import cv2
import numpy as np
import pytest
from unexpected_values import variants

from common.contract import AnnotationFormat, ObjectType
from common.datasets.index import read_training_index
from common.datasets.label_map_writer import label_map
from common.datasets.mask_dataset import read_mask_dataset
from common.masks.rle import Part
from common.results.records import Record
from common.results.segmentation import class_objects, instances, write_segmentation_result
from workbench.check import check_masks, check_out
from workbench.masked import MaskedSample, render_masked, write_mask_annotations
from workbench.platform import TASK_ID, write_candidate_task, write_training_task
from workbench.sample import Sample
from workbench.shapes import CLASS_NAMES, CUT, Scene, render
from workbench.task import Task

# scenes


def test_masked_images_are_those_of_the_scene_and_boxes_are_tight_around_the_masks():
    masked, plain = render_masked(3, seed=4), render(3, seed=4, scene=CUT)
    for one, same in zip(masked, plain, strict=True):
        assert np.array_equal(one.sample.image, same.image)
        for mask, (x1, y1, x2, y2) in zip(one.masks, one.sample.boxes, strict=True):
            assert np.array_equal(np.flatnonzero(mask.any(axis=0))[[0, -1]], [x1, x2 - 1])
            assert np.array_equal(np.flatnonzero(mask.any(axis=1))[[0, -1]], [y1, y2 - 1])


@pytest.mark.parametrize(
    ("scene", "holed", "split"),
    [
        (Scene(objects=(1, 1), empty_share=0, holed_share=1), True, False),
        (Scene(objects=(1, 1), empty_share=0, split_share=1), False, True),
        (Scene(objects=(1, 1), empty_share=0), False, False),
    ],
)
def test_objects_have_holes_and_parts_where_the_scene_says_so(scene, holed, split):
    for masked in render_masked(6, seed=2, scene=scene):
        [mask] = masked.masks
        _, [tree] = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        assert ((tree[:, 3] >= 0).any(), (tree[:, 3] < 0).sum() > 1) == (holed, split)


def test_a_pixel_has_the_class_of_its_object():
    owners = np.array([[0, 1], [-1, 1]], np.int16)
    boxes = np.array([[0, 0, 1, 1], [1, 0, 2, 2]])
    masked = MaskedSample(Sample(np.zeros((2, 2, 3), np.uint8), boxes, np.array([2, 0])), owners)
    assert masked.labels(blank=9).tolist() == [[2, 0], [9, 0]]
    with pytest.raises(ValueError, match="expected at most 1, got 2"):
        MaskedSample(masked.sample, owners + 1)
    with pytest.raises(ValueError, match=r"expected shape \(2, 2\)"):
        MaskedSample(masked.sample, owners[:1])


def test_the_platforms_file_is_read_back_bit_by_bit(tmp_path):
    train, val = render_masked(3, seed=0, scene=Scene(empty_share=0, holed_share=0.5, split_share=0.5)), []
    val = render_masked(2, seed=1)
    parameters = {"export_format": "seg-coco:raw"}
    samples = ([masked.sample for masked in part] for part in (train, val))
    env_file = write_training_task(tmp_path, *samples, CLASS_NAMES, parameters, object_type=ObjectType.SEMANTIC)
    file = write_mask_annotations(tmp_path, train, val, CLASS_NAMES)
    task = Task.load(env_file)
    for name, part in (("training", train), ("val", val)):
        assert {line.split("\t")[1] for line in task.index_lines(name)} == {str(file)}
        index = tmp_path / "in" / ("train-index.tsv" if name == "training" else "val-index.tsv")
        dataset = read_mask_dataset(read_training_index(index), AnnotationFormat.COCO, CLASS_NAMES)
        for i, masked in enumerate(part):
            rows = dataset.of_image(i)
            assert dataset.boxes[rows].tolist() == masked.sample.boxes.tolist()
            decoded = [mask for _, mask in dataset.decoded(i)]
            assert np.array_equal(np.array(decoded).reshape(masked.masks.shape), masked.masks)
            assert np.array_equal(label_map(dataset, i, ignore_black_area=False), masked.labels(len(CLASS_NAMES)))


def test_the_platform_leaves_out_categories_of_the_validation_set(tmp_path):
    def one(label):
        image = np.full((4, 4, 3), label, np.uint8)
        return MaskedSample(Sample(image, np.array([[0, 0, 4, 4]]), np.array([label])), np.zeros((4, 4), np.int16))

    train, val = one(1), one(0)
    parameters = {"export_format": "seg-coco:raw"}
    write_training_task(tmp_path, [train.sample], [val.sample], CLASS_NAMES, parameters)
    content = json.loads(write_mask_annotations(tmp_path, [train], [val], CLASS_NAMES).read_text(encoding="utf-8"))
    assert [entry["id"] for entry in content["categories"]] == [1]
    assert {annotation["category_id"] for annotation in content["annotations"]} == {0, 1}
    assert {annotation["area"] for annotation in content["annotations"]} == {16}


# the check

NAMES = ("dog", "big cat")
HEIGHT, WIDTH = 6, 8


def masks() -> np.ndarray:
    found = np.zeros((2, HEIGHT, WIDTH), np.bool_)
    found[0, 1:4, 2:7] = found[1, 5, 0] = True
    return found


def task_of(tmp_path, object_type):
    """An inference task and what an image that keeps to the contract answers."""
    images = [Sample(np.full((HEIGHT, WIDTH, 3), v, np.uint8), name=f"{v}.png", extension="png") for v in (10, 20)]
    env_file = write_candidate_task(
        tmp_path, images, [], NAMES, {}, run_mining=False, run_infer=True, object_type=object_type
    )
    output = Task.load(env_file).output
    output["monitor_file"].write_text(f"{TASK_ID}\t1700000000.5\t1.0\t2\t0\n", encoding="utf-8")
    if object_type is ObjectType.SEMANTIC:
        labels = np.full((HEIGHT, WIDTH), 2)
        labels[masks()[0]], labels[masks()[1]] = 0, 1
        objects = class_objects(labels, NAMES)
    else:
        objects = instances(
            [Part(0, 0, mask) for mask in masks()], np.array([0, 1]), np.array([0.9, 0.8]), (HEIGHT, WIDTH), NAMES
        )
    records = [("10.png", Record(objects, (HEIGHT, WIDTH))), ("20.png", Record(size=(HEIGHT, WIDTH)))]
    write_segmentation_result(output["infer_result_file"], records, NAMES)
    return env_file, output["infer_result_file"]


@pytest.fixture
def instance(tmp_path):
    return task_of(tmp_path, ObjectType.INSTANCE)


@pytest.mark.parametrize("object_type", [ObjectType.SEMANTIC, ObjectType.INSTANCE])
def test_what_we_write_has_no_breach(tmp_path, object_type):
    env_file, _ = task_of(tmp_path, object_type)
    assert check_out(env_file) == []


GONE = object()


def changed(file, **changes: Any) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    content = {key: value for key, value in (content | changes).items() if value is not GONE}
    file.write_text(json.dumps(content), encoding="utf-8")


def whats(env_file):
    return [finding.what for finding in check_out(env_file)]


IMAGES = [{"id": 1, "file_name": "10.png"}, {"id": 2, "file_name": "20.png"}]
CATEGORIES = [{"id": 0, "name": "dog"}, {"id": 1, "name": "big cat"}]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"images": GONE}, "key 'images' is missing"),  # fails the whole task
        ({"categories": {}}, "key 'categories' is missing"),
        ({"annotations": None}, "key 'annotations' is missing"),
        ({"images": [], "annotations": []}, "images is empty"),  # platforms before 2.5
        ({"images": [*IMAGES, 5]}, "image 2 is 5"),
        ({"images": [*IMAGES, {"id": 3}]}, "image 2 is {'id': 3}"),
        ({"images": IMAGES[:1]}, "image '20.png' is missing"),
        ({"images": [IMAGES[0], {"id": 2, "file_name": "/in/20.png"}]}, "image '20.png' is missing"),
        ({"images": [*IMAGES, {"id": 3, "file_name": "30.png"}]}, "image '30.png' is not the base name of a candidate"),
        ({"images": [*IMAGES, {"id": 2, "file_name": "20.png"}]}, "image 2: id 2 is listed already"),
        ({"categories": [*CATEGORIES, {"id": 5, "name": "cow"}]}, "category 'cow' is not in class_names"),
        ({"categories": [*CATEGORIES, {"id": 1, "name": "DOG"}]}, "category 2: id 1 is listed already"),
        ({"categories": [*CATEGORIES, {"id": 2, "name": ""}]}, "category 2 is "),
        ({"annotations": [7]}, "annotation 0: 7 is not a mapping"),
    ],
)
def test_a_breach_in_the_document_is_found(instance, changes, what):
    env_file, file = instance
    changed(file, **changes)
    assert whats(env_file)[0].startswith(what)


def test_a_folder_before_the_name_is_called_by_its_name(instance):
    env_file, file = instance
    changed(file, images=[IMAGES[0], {"id": 2, "file_name": "/in/20.png"}])
    assert whats(env_file) == ["image '20.png' is missing", "image '/in/20.png' has a folder"]


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_file_that_is_no_document_is_found(instance, text):
    env_file, file = instance
    file.write_text(text, encoding="utf-8")
    assert whats(env_file)[0].startswith(("not JSON", "holds list"))
    file.unlink()
    assert whats(env_file) == ["there is no such file"]


def test_no_odd_value_breaks_the_check(instance):
    env_file, file = instance
    task = Task.load(env_file)
    for document in variants(json.loads(file.read_text(encoding="utf-8"))):
        file.write_text(json.dumps(document), encoding="utf-8")
        check_masks(task)


MASK = {"counts": "?31N21N21N21N21N24", "size": [HEIGHT, WIDTH]}
EMPTY = {"counts": "`1", "size": [HEIGHT, WIDTH]}


@pytest.mark.parametrize(
    ("changes", "whats_found"),
    [
        ({"image_id": GONE}, ["image_id is missing"]),  # fails the whole task
        ({"image_id": 9}, ["image_id is 9"]),
        ({"image_id": [1]}, ["image_id is [1]"]),
        ({"category_id": 7}, ["category_id is 7"]),
        ({"id": GONE}, ["id is None"]),
        ({"id": 2}, ["id is 2"]),  # the other one's
        ({"bbox": GONE}, ["bbox is None"]),  # dropped
        ({"bbox": [2, 1, 5]}, ["bbox is [2, 1, 5]"]),
        ({"bbox": [2.5, 1, 5, 3]}, ["bbox is [2.5, 1, 5, 3]"]),  # cut off
        ({"bbox": [2, 1, 0, 3]}, ["bbox is [2, 1, 0, 3]"]),  # dropped
        ({"bbox": [2, 1, 4, 3]}, ["bbox is [2, 1, 4, 3], the mask's is [2, 1, 5, 3]"]),
        ({"area": GONE}, ["area is missing"]),  # fails the whole task
        ({"area": 0}, ["area is 0"]),
        ({"area": 15.5}, ["area is 15.5"]),
        ({"area": 16}, ["area is 16, the mask has 15 pixels"]),
        ({"confidence": GONE}, ["confidence is missing"]),
        ({"confidence": GONE, "score": 0.5}, ["score is not read"]),
        ({"confidence": 1.5}, ["confidence is 1.5"]),
        ({"iscrowd": "no"}, ["iscrowd is 'no'"]),
        ({"segmentation": GONE}, ["segmentation is None"]),  # evaluation fails
        ({"segmentation": {}}, ["segmentation.counts is NoneType"]),
        ({"segmentation": [[1, 1, 5, 1, 5, 5], [1, 1, 2, 1, 2, 2]]}, ["segmentation is 2 polygons"]),
        ({"segmentation": {"counts": [8, 3, 37], "size": [6, 8]}}, ["segmentation.counts is list"]),  # fails the task
        ({"segmentation": {"counts": "d0"}}, ["segmentation.size is None"]),
        ({"segmentation": MASK | {"size": [WIDTH, HEIGHT]}}, ["segmentation.size is [8, 6], the image [6, 8]"]),
        ({"segmentation": MASK | {"counts": "d0"}}, ["segmentation.counts is not a mask of 6 x 8 pixels"]),
        ({"segmentation": MASK | {"counts": "é"}}, ["segmentation.counts is not a mask of 6 x 8 pixels"]),
        ({"segmentation": EMPTY}, ["the mask has no pixel"]),
    ],
)
def test_a_breach_in_an_annotation_is_found(instance, changes, whats_found):
    env_file, file = instance
    second, first = json.loads(file.read_text(encoding="utf-8"))["annotations"]
    entry = {key: value for key, value in (second | changes).items() if value is not GONE}
    changed(file, annotations=[first, entry])
    found = whats(env_file)
    assert len(found) == len(whats_found)
    assert all(text.startswith(f"annotation 1: {what}") for text, what in zip(found, whats_found, strict=True))


def test_a_second_object_with_the_same_class_and_box_is_found(instance):
    env_file, file = instance
    first = json.loads(file.read_text(encoding="utf-8"))["annotations"][0]
    changed(file, annotations=[first, first | {"id": 5}])
    assert whats(env_file) == ["annotation 1: class and bbox [2, 1, 5, 3] occur twice on this image"]


def test_a_class_twice_on_one_image_is_found_where_classes_are_labelled(tmp_path):
    env_file, file = task_of(tmp_path, ObjectType.SEMANTIC)
    first, second = json.loads(file.read_text(encoding="utf-8"))["annotations"]
    changed(file, annotations=[first, second | {"category_id": first["category_id"]}])
    assert whats(env_file) == ["annotation 1: the class occurs twice on this image"]
