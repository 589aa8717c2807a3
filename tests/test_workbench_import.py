"""Import: what every format has in common, and the command."""

import hashlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import yaml
from import_cases import (
    ROTATED,
    SEGMENTATION,
    YOLO,
    coco_set,
    imported,
    objects,
    picture,
    sources,
    text,
    yolo_set,
)
from PIL import Image
from typer.testing import CliRunner

from common.contract import ObjectType, Verb
from workbench.__main__ import app
from workbench.imports import task as import_task
from workbench.imports.entry import SourceError
from workbench.task import Task

BOX = {"image_id": 1, "category_id": 7, "bbox": [2, 3, 10, 5]}
CANDIDATES = (Verb.MINING, Verb.INFER)


def yolo_folder(root, count):
    """A data set of one split."""
    for value in range(count):
        picture(root / "images" / f"{value:02}.png", value)
        text(root / "labels" / f"{value:02}.txt", "0 0.5 0.5 0.5 0.5")
    text(root / "data.yaml", "names: [thing]\ntrain: images\n")
    return root


def test_images_are_copied_bit_by_bit_and_named_by_their_content(tmp_path):
    source = coco_set(tmp_path / "coco", [BOX])
    task, _ = imported("coco", source, tmp_path / "task")
    file = source / "train2017" / "b.jpg"
    digest = hashlib.sha1(file.read_bytes()).hexdigest()
    copy = tmp_path / "task" / "in" / "assets" / digest[-2:] / f"{digest}.jpg"
    assert copy.read_bytes() == file.read_bytes()
    assert str(copy) in [line.split("\t")[0] for line in task.index_lines("training")]
    assert not list((tmp_path / "task").rglob("*.part"))


def test_the_form_of_the_image_is_filled_in_as_by_the_platform(tmp_path):
    task, _ = imported("coco", coco_set(tmp_path / "coco", [BOX]), tmp_path / "task", changes={"epochs": 3})
    template = yaml.safe_load((YOLO / "img-man" / "training-template.yaml").read_text(encoding="utf-8"))
    filled = {key: value for key, value in template.items() if value != ""} | {"epochs": 3}
    reserved = {"class_names": ["cat", "dog"], "gpu_count": 0, "gpu_id": "", "object_type": 2}
    assert dict(task.config) == filled | reserved | {"task_id": task.config["task_id"]}


def test_an_image_without_validation_images_gets_a_share_of_them_by_its_seed(tmp_path):
    source = yolo_folder(tmp_path / "yolo", 10)
    sets = []
    for number, seed in enumerate((0, 0, 1)):
        task, lost = imported("yolo", source, tmp_path / str(number), seed=seed, val_share=0.3)
        assert (len(objects(task)), len(objects(task, "val")), lost) == (7, 3, [])
        assert not objects(task).keys() & objects(task, "val").keys()
        sets.append(list(objects(task, "val")))
    assert sets[0] == sets[1] != sets[2]


def test_an_image_that_occurs_twice_is_kept_once_and_rather_for_training(tmp_path):
    source = yolo_set(tmp_path / "yolo", ["0 0.5 0.5 1 1"])
    (source / "images" / "val" / "copy.png").write_bytes((source / "images" / "train" / "a.png").read_bytes())
    task, lost = imported("yolo", source, tmp_path / "task")
    assert (list(objects(task)), list(objects(task, "val"))) == (["a.png"], ["b.png"])
    assert lost == [("IMAGES", 1, "another image of the data set has the same content; the platform keeps one")]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "TIFF"])
def test_a_format_that_the_platform_does_not_import_is_told_whatever_the_name(tmp_path, form):
    source = yolo_folder(tmp_path / "yolo", 3)
    Image.new("RGB", (8, 8)).save(source / "images" / "x.png", form)
    _, lost = imported("yolo", source, tmp_path / "task")
    assert lost == [("IMAGES", 1, f"the image is {form}; the platform imports JPEG, PNG and BMP")]


def test_a_file_gets_the_ending_of_its_content_and_broken_ones_are_told(tmp_path):
    source = yolo_folder(tmp_path / "yolo", 3)
    Image.new("L", (8, 8)).save(source / "images" / "x.png", "BMP")
    (source / "images" / "y.png").write_bytes(b"no image")
    task, lost = imported("yolo", source, tmp_path / "task", seed=2, changes={"export_format": "voc:raw"})
    assert len(list((tmp_path / "task/in/assets").rglob("*.bmp"))) == 1
    assert lost == [("IMAGES", 1, "the file is not a readable image")]
    assert any("<depth>1</depth>" in file.read_text() for file in (tmp_path / "task/in/annotations").rglob("*.xml"))
    assert task.index_lines("training")


def test_classes_can_be_chosen_and_what_is_of_others_is_told(tmp_path):
    source = yolo_set(tmp_path / "yolo", ["0 0.5 0.5 1 1", "1 0.5 0.5 1 1"], names=("Dog", "cat", " DOG"))
    task, lost = imported("yolo", source, tmp_path / "task", classes=["cat"])
    assert task.class_names == ["cat"]
    assert objects(task)["a.png"] == [("cat", 0, 0, 40, 30)]
    assert lost == [("OBJECTS", 1, "its class 'Dog' is not chosen")]
    with pytest.raises(SourceError, match=r"classes \['cow'\]: not in the data set, which has \['dog', 'cat'\]"):
        imported("yolo", source, tmp_path / "other", classes=["cow"])


def test_a_folder_of_images_becomes_a_task_of_candidates(tmp_path):
    for value, name in enumerate(("b b.png", "sub/a.JPG", ".hidden.png", "notes.txt")):
        picture(tmp_path / "photos" / name, value) if name != "notes.txt" else text(tmp_path / "photos" / name, "x")
    weights = text(tmp_path / "best.pt", "weights")
    model = import_task.Model([weights], "epoch_3", ["dog"])
    task, lost = imported("folder", tmp_path / "photos", tmp_path / "task", verbs=CANDIDATES, model=model)
    assert sources(task, task.candidates) == ["b b.png", "a.JPG"]
    assert (task.class_names, task.verbs, lost) == (["dog"], CANDIDATES, [])
    [copy] = map(Path, task.config["model_params_path"])
    assert (copy.parent.name, copy.read_text(encoding="utf-8")) == ("epoch_3", "weights\n")
    assert not list((tmp_path / "task/in/annotations").iterdir())


def test_labels_of_candidates_are_left_aside_and_a_split_can_be_chosen(tmp_path):
    source = coco_set(tmp_path / "coco", [BOX])
    task, lost = imported("coco", source, tmp_path / "all", verbs=(Verb.INFER,), classes=["dog"])
    assert (sources(task, task.candidates), lost) == (["a.png", "b.jpg", "c.bmp"], [])
    task, _ = imported("coco", source, tmp_path / "val", verbs=(Verb.MINING,), classes=["dog"], split="val")
    assert sources(task, task.candidates) == ["c.bmp"]
    with pytest.raises(SourceError, match="no image is left as a candidate"):
        imported("coco", source, tmp_path / "test", verbs=(Verb.MINING,), classes=["dog"], split="test")
    with pytest.raises(SourceError, match="the classes are unknown"):
        imported("coco", source, tmp_path / "none", verbs=(Verb.MINING,))


@pytest.mark.parametrize(
    ("form", "more", "message"),
    [
        ("folder", {}, "has no labels to train on"),
        ("voc", {"image": SEGMENTATION, "object_type": ObjectType.INSTANCE}, r"voc: only has boxes"),
        (
            "dota",
            {"image": SEGMENTATION, "object_type": ObjectType.SEMANTIC},
            r"object type 3 .* needs masks",
        ),
    ],
)
def test_what_a_format_cannot_give_is_refused_before_anything_is_read(tmp_path, form, more, message):
    with pytest.raises(SourceError, match=message):
        imported(form, tmp_path, tmp_path / "task", **more)


def test_nothing_is_left_of_a_task_that_could_not_be_written(tmp_path, monkeypatch):
    def full_disk(root, *_, **__):
        (root / "in" / "assets").mkdir(parents=True)
        raise OSError("no space left on device")

    monkeypatch.setattr(import_task, "write_training_task", full_disk)
    with pytest.raises(OSError, match="no space left"):
        imported("coco", coco_set(tmp_path / "coco", [BOX]), tmp_path / "task")
    assert not (tmp_path / "task" / "in").exists()


def test_images_are_not_in_memory_together(tmp_path):
    pixels = np.zeros((1000, 1000, 3), np.uint8)
    for value in range(6):
        pixels[0] = value
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{value}.bmp")
    tracemalloc.start()
    try:
        imported("folder", tmp_path / "photos", tmp_path / "task", verbs=(Verb.INFER,), classes=["thing"])
        assert tracemalloc.get_traced_memory()[1] < 2 * pixels.nbytes
    finally:
        tracemalloc.stop()


# the command


def command(*words):
    result = CliRunner().invoke(app, ["import", *map(str, words)], env={"COLUMNS": "400"})
    return result.exit_code, result.output


def test_the_command_tells_what_it_wrote_and_how_to_go_on(tmp_path):
    source = coco_set(tmp_path / "coco", [BOX, BOX | {"iscrowd": 1}], val=[BOX])
    status, shown = command("coco", source, tmp_path / "task", "--image", "det-yolov5-tmi", "--set", "epochs=2")
    env_file = tmp_path / "task" / "in" / "env.yaml"
    assert status == 0
    assert (
        f"1 objects left out: it is a crowd, which ark cannot mark (first: {source / 'train2017' / 'a.png'})" in shown
    )
    assert ["images", "2", "1"] in [line.split() for line in shown.splitlines()]
    assert ["dog", "1", "1"] in [line.split() for line in shown.splitlines()]
    assert shown.splitlines()[-1].endswith(f"python -m workbench run det-yolov5-tmi {env_file}")
    assert Task.load(env_file).config["epochs"] == 2


def test_the_command_takes_classes_and_model_from_a_finished_training(tmp_path):
    training, _ = imported("coco", coco_set(tmp_path / "coco", [BOX]), tmp_path / "training")
    words = ("folder", tmp_path / "coco" / "val2017", tmp_path / "task", "--task", "mining+infer")
    status, shown = command(*words, "--model", training.env_file)
    assert status == 1
    assert "it has no training result" in shown
    stage = {"stage_name": "last", "files": ["last.pt"], "timestamp": 1, "mAP": 0.5}
    document = {"best_stage_name": "last", "model_stages": {"last": stage}, "object_type": 2}
    training.output["training_result_file"].write_text(yaml.safe_dump(document), encoding="utf-8")
    text(training.output["models_dir"] / "last.pt", "weights")
    status, shown = command(*words, "--model", training.env_file, "--set", "mining_algorithm=random")
    assert status == 0, shown
    task = Task.load(tmp_path / "task" / "in" / "env.yaml")
    assert (task.class_names, task.config["mining_algorithm"]) == (["cat", "dog"], "random")
    assert task.config["model_params_path"] == [str(tmp_path / "task/in/models/last/last.pt")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--image", "no-such"], "image 'no-such': not a folder with a start.py; allowed are det-"),
        (["--image", "seg-all-in-one-tmi"], "Choose with --object-type: 2 (detection), 3 (semantic), 4 (instance)"),
        (["--object-type", "3"], "det-yolov5-tmi has no form for object type 3 (semantic)"),
        (["--object-type", "9"], "--object-type 9: allowed are 2 (detection), 3"),
        (["--set", "epoch=3"], "'epoch=3': expected key=value with a key of the form: activate, "),
        (["--set", "epochs=many"], "epochs='many': expected a number"),
        (["--model", "/no/such/best.pt"], "/no/such/best.pt: no such file"),
    ],
)
def test_what_the_command_cannot_do_is_one_sentence(tmp_path, words, message):
    status, shown = command("coco", tmp_path, tmp_path / "task", *words)
    assert (status, "Traceback" in shown) == (1, False)
    assert message in shown


def test_a_folder_that_holds_a_task_is_not_written_over(tmp_path):
    (tmp_path / "task" / "out").mkdir(parents=True)
    status, shown = command("coco", coco_set(tmp_path / "coco", [BOX]), tmp_path / "task")
    assert status == 1
    assert "out: already exists. Give a new folder" in shown
    assert command("coco", tmp_path / "gone", tmp_path / "other")[1].endswith("gone: there is no such file or folder\n")


@pytest.mark.parametrize("image", [YOLO, ROTATED])
def test_a_web_form_makes_texts_of_all_but_numbers(image):
    from workbench.form import typed_changes

    lines = ["max_bad_images=0.5", "export_format=voc:raw"]
    assert typed_changes(image, Verb.TRAINING, lines) == {"max_bad_images": 0.5, "export_format": "voc:raw"}
    if image == YOLO:
        assert typed_changes(image, Verb.TRAINING, ["save_best_only=False"]) == {"save_best_only": "False"}
