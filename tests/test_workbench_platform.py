"""The tree that the platform writes, point by point of its contract."""

import json
from hashlib import sha1
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from workbench.platform import write_candidate_task, write_training_task
from workbench.sample import Sample

NAMES = ("dog", "cat")
IMAGE = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)


def sample(shift, *objects, **more):
    """An image of its own with `(class, x1, y1, x2, y2)` objects, max corners exclusive, perhaps with `angles`."""
    boxes = np.array([corners for _, *corners in objects], np.int64).reshape(-1, 4)
    return Sample(IMAGE + np.uint8(shift), boxes, np.array([label for label, *_ in objects], np.int64), **more)


CAT = sample(0, (1, 3, 4, 13, 9), (1, 0, 0, 1, 1))
EMPTY = sample(1)
DOG = sample(2, (0, 5, 5, 9, 9), extension="png")


def training(root, **parameters):
    return load(write_training_task(root, [CAT, EMPTY], [DOG], NAMES, parameters))


def load(env_file):
    env = yaml.safe_load(env_file.read_text(encoding="utf-8"))
    return env, yaml.safe_load(Path(env["input"]["config_file"]).read_text(encoding="utf-8"))


def pairs(file):
    return [[Path(path) for path in line.split("\t")] for line in Path(file).read_text(encoding="utf-8").splitlines()]


def test_env_yaml_has_the_keys_and_paths_of_the_platform(tmp_path):
    env, _ = training(tmp_path, export_format="ark:raw")
    source, target = tmp_path / "in", tmp_path / "out"
    assert env.pop("task_id")
    assert env == {
        "protocol_version": "1.1.0",
        "run_training": True,
        "run_mining": False,
        "run_infer": False,
        "manifest_file": "/img-man/manifest.yaml",
        "input": {
            "root_dir": f"{source}",
            "assets_dir": f"{source}/assets",
            "annotations_dir": f"{source}/annotations",
            "models_dir": f"{source}/models",
            "config_file": f"{source}/config.yaml",
            "training_index_file": f"{source}/train-index.tsv",
            "val_index_file": f"{source}/val-index.tsv",
            "candidate_index_file": "",
        },
        "output": {
            "root_dir": f"{target}",
            "models_dir": f"{target}/models",
            "tensorboard_dir": f"{target}/tensorboard",
            "training_result_file": f"{target}/models/result.yaml",
            "mining_result_file": f"{target}/result.tsv",
            "infer_result_file": f"{target}/infer-result.json",
            "monitor_file": f"{target}/monitor.txt",
            "executor_log_file": f"{target}/ymir-executor-out.log",
        },
    }


def test_config_yaml_is_the_form_plus_the_reserved_keys(tmp_path):
    env, config = training(tmp_path, export_format="ark:raw", epochs=3)
    reserved = {"class_names": ["dog", "cat"], "gpu_id": "", "gpu_count": 0, "object_type": 2}
    assert config == {"export_format": "ark:raw", "epochs": 3, "task_id": env["task_id"]} | reserved


def test_images_are_named_by_their_content(tmp_path):
    env, _ = training(tmp_path, export_format="ark:raw")
    for file, suffix in (("training_index_file", ".jpg"), ("val_index_file", ".png")):
        for image, _ in pairs(env["input"][file]):
            digest = sha1(image.read_bytes()).hexdigest()
            assert image == tmp_path / "in" / "assets" / digest[-2:] / f"{digest}{suffix}"


def test_ark_has_seven_columns_and_inclusive_corners_and_empty_files(tmp_path):
    env, _ = training(tmp_path, export_format="ark:raw")
    (cat_image, cat), (_, empty) = pairs(env["input"]["training_index_file"])
    assert cat.read_text(encoding="utf-8") == "1, 3, 4, 12, 8, -1.0, 0.0\n1, 0, 0, 0, 0, -1.0, 0.0\n"
    assert empty.read_text(encoding="utf-8") == ""
    assert cat == tmp_path / "in" / "annotations" / cat_image.parent.name / f"{cat_image.stem}.txt"


@pytest.mark.parametrize("parameters", [{"export_format": "det-voc:raw"}, {"export_format": ""}, {}])
def test_voc_names_the_whole_path_and_has_inclusive_corners(tmp_path, parameters):
    env, _ = training(tmp_path, **parameters)
    image, annotation = pairs(env["input"]["training_index_file"])[0]
    root = ElementTree.parse(annotation).getroot()
    box = {item.tag: item.text for item in root.findall("object/bndbox")[0]}
    assert annotation.suffix == ".xml"
    assert root.findtext("filename") == str(image)
    assert (root.findtext("size/width"), root.findtext("size/height")) == ("30", "20")
    assert [item.findtext("name") for item in root.findall("object")] == ["cat", "cat"]
    assert box == {"xmin": "3", "ymin": "4", "xmax": "12", "ymax": "8", "rotate_angle": "0.0000"}
    assert root.findtext("object/truncated") == "unknown"


TURNED = sample(5, (0, 3, 4, 13, 9), (1, 0, 0, 1, 1), angles=np.array([np.pi / 4, -1.5]))


def annotation_of_turned(root, word, **more):
    env, _ = load(write_training_task(root, [TURNED], [DOG], NAMES, {"export_format": word}, **more))
    return pairs(env["input"]["training_index_file"])[0][1]


@pytest.mark.parametrize(
    ("unit", "angles"),
    [({}, ("0.7853981852531433", "-1.5")), ({"angle_unit": np.pi}, ("0.25", "-0.47746482491493225"))],
)
def test_ark_has_the_angle_in_full_in_its_unit_beside_the_box_that_is_not_rotated(tmp_path, unit, angles):
    first, second = annotation_of_turned(tmp_path, "ark:raw", **unit).read_text(encoding="utf-8").splitlines()
    assert (first, second) == (f"0, 3, 4, 12, 8, -1.0, {angles[0]}", f"1, 0, 0, 0, 0, -1.0, {angles[1]}")


@pytest.mark.parametrize(
    ("unit", "angles"), [({}, ["0.7854", "-1.5000"]), ({"angle_unit": np.pi}, ["0.2500", "-0.4775"])]
)
def test_voc_has_four_decimals_of_the_angle(tmp_path, unit, angles):
    root = ElementTree.parse(annotation_of_turned(tmp_path, "voc:raw", **unit)).getroot()
    assert [item.findtext("bndbox/rotate_angle") for item in root.findall("object")] == angles
    assert [item.text for item in root.findall("object/bndbox")[0]][:4] == ["3", "4", "12", "8"]


def test_coco_is_one_file_that_lacks_the_categories_of_the_validation_set(tmp_path):
    env, _ = training(tmp_path, export_format="seg-coco:raw")
    rows = pairs(env["input"]["training_index_file"]) + pairs(env["input"]["val_index_file"])
    assert {annotation for _, annotation in rows} == {tmp_path / "in" / "annotations" / "coco-annotations.json"}
    document = json.loads(rows[0][1].read_text(encoding="utf-8"))
    assert [item["file_name"] for item in document["images"]] == sorted(image.name for image, _ in rows)
    assert document["categories"] == [{"id": 1, "name": "cat", "supercategory": "object"}]
    assert sorted((item["category_id"], item["bbox"]) for item in document["annotations"]) == [
        (0, [5, 5, 4, 4]),
        (1, [0, 0, 1, 1]),
        (1, [3, 4, 10, 5]),
    ]


@pytest.mark.parametrize("word", ["none:raw", "nonsense:raw"])
def test_without_a_known_format_the_index_files_are_empty(tmp_path, word):
    env, _ = training(tmp_path, export_format=word)
    assert pairs(env["input"]["training_index_file"]) == pairs(env["input"]["val_index_file"]) == []
    assert len(pairs(tmp_path / "in" / "idx-assets.tsv")) == 3


def test_the_files_that_an_image_must_not_trip_over_are_there(tmp_path):
    training(tmp_path, export_format="ark:raw")
    log = tmp_path / "out" / "tensorboard" / "executor.log"
    assert log.is_symlink()
    assert not log.exists()
    assert all(guess.read_text(encoding="utf-8") == "" for _, guess in pairs(tmp_path / "in" / "pred-train-index.tsv"))
    assert pairs(tmp_path / "in" / "test-index.tsv") == []


def test_pretrained_files_lie_in_the_folder_of_their_stage(tmp_path):
    weights = tmp_path / "best.pt"
    weights.write_bytes(b"weights")
    task = write_training_task(tmp_path / "task", [CAT], [DOG], NAMES, {"epochs": 1}, pretrained=[weights], stage="s1")
    _, config = load(task)
    assert config["pretrained_model_params"] == [str(tmp_path / "task" / "in" / "models" / "s1" / "best.pt")]
    assert Path(config["pretrained_model_params"][0]).read_bytes() == b"weights"
    info = yaml.safe_load((tmp_path / "task" / "in" / "models" / "ymir-info.yaml").read_text(encoding="utf-8"))
    assert info["executor_config"]["class_names"] == ["dog", "cat"]


def test_candidates_keep_their_names_and_their_order(tmp_path):
    weights = tmp_path / "best.pt"
    weights.write_bytes(b"weights")
    odd = sample(3, name="图 1.JPG")
    broken = sample(4, name="folder/broken", content=b"no image")
    task = write_candidate_task(
        tmp_path / "task", [odd, CAT, broken], [weights], NAMES, {}, run_mining=True, run_infer=False, gpu_id="0,1"
    )
    env, config = load(task)
    assets = tmp_path / "task" / "in" / "assets"
    lines = Path(env["input"]["candidate_index_file"]).read_text(encoding="utf-8").splitlines()
    assert lines == [f"{assets}/图 1.JPG", f"{assets}/{CAT.asset}", f"{assets}/folder/broken"]
    assert Path(lines[2]).read_bytes() == b"no image"
    assert (env["run_training"], env["run_mining"], env["run_infer"]) == (False, True, False)
    assert (config["run_mining"], config["run_infer"], config["gpu_count"]) == (True, False, 2)
    assert config["model_params_path"] == [str(tmp_path / "task" / "in" / "models" / "best" / "best.pt")]
    assert not list((tmp_path / "task" / "in" / "annotations").iterdir())


def test_a_sample_with_more_classes_than_boxes_is_refused():
    with pytest.raises(ValueError, match=r"boxes: expected shape \(2, 4\)"):
        Sample(IMAGE, np.zeros((1, 4), np.int64), np.zeros(2, np.int64))


def test_a_sample_with_more_angles_than_boxes_is_refused():
    with pytest.raises(ValueError, match=r"angles: expected shape \(1,\)"):
        Sample(IMAGE, np.zeros((1, 4), np.int64), np.zeros(1, np.int64), np.zeros(2))


def test_objects_are_upright_unless_told_otherwise():
    assert CAT.angles.tolist() == [0.0, 0.0]
    assert TURNED.without_objects().angles.tolist() == []
