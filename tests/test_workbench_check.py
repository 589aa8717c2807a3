"""The checks: silent on outputs that hold to the contract, and each breach is named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner
from unexpected_values import variants

from workbench.__main__ import app
from workbench.check import check_detections, check_out, check_training
from workbench.images import REPOSITORY
from workbench.platform import TASK_ID, write_candidate_task, write_training_task
from workbench.sample import Sample
from workbench.task import Task

NAMES = ("dog", "big cat")
MONITOR = f"{TASK_ID}\t1700000000.5\t1.0\t2\t0\n"
STAGE: dict[str, Any] = {"stage_name": "best", "files": ["best.pt"], "timestamp": 1700000000, "mAP": 0.5, "tp": 3}
RESULT: dict[str, Any] = {"best_stage_name": "best", "model_stages": {"best": STAGE}, "object_type": 2}
BOX: dict[str, Any] = {"box": {"x": 1, "y": 2, "w": 3, "h": 4}, "class_name": "dog", "score": 0.5}

Finished = tuple[Path, dict[str, Path]]
"""Path of env.yaml, and the output paths by their keys."""


def images() -> list[Sample]:
    return [Sample(np.full((8, 8, 3), value, np.uint8), name=f"{value}.png", extension="png") for value in (10, 20, 30)]


@pytest.fixture
def training(tmp_path: Path) -> Finished:
    """A finished training."""
    first, *others = images()
    env_file = write_training_task(tmp_path, [first], others, NAMES, {"export_format": "ark:raw"})
    output = Task.load(env_file).output
    (output["models_dir"] / "best").mkdir()
    (output["models_dir"] / "best" / "best.pt").write_bytes(b"weights")
    (output["tensorboard_dir"] / "events.out.tfevents.1").write_bytes(b"")
    output["monitor_file"].write_text(MONITOR, encoding="utf-8")
    output["training_result_file"].write_text(yaml.safe_dump(RESULT), encoding="utf-8")
    return env_file, output


@pytest.fixture
def candidates(tmp_path: Path) -> Finished:
    """A finished mining and inference task."""
    env_file = write_candidate_task(tmp_path, images(), [], NAMES, {}, run_mining=True, run_infer=True)
    output = Task.load(env_file).output
    output["monitor_file"].write_text(MONITOR, encoding="utf-8")
    output["mining_result_file"].write_text("/x/20.png\t0.9\n/x/10.png\t0.5\n/x/30.png\t-2e-1\n", encoding="utf-8")
    output["infer_result_file"].write_text(detections(), encoding="utf-8")
    return env_file, output


def detections(**changes: Any) -> str:
    """infer-result.json with `changes` to the one box on it; a change to None removes the key."""
    item = {key: value for key, value in (BOX | changes).items() if value is not None}
    return json.dumps({"detection": {"10.png": {"boxes": [item]}, "20.png": {"boxes": []}, "30.png": {"boxes": []}}})


def box(**changes: Any) -> str:
    """infer-result.json with `changes` to the rectangle."""
    return detections(box=BOX["box"] | changes)


def result(**changes: Any) -> str:
    """result.yaml with changes at its top level."""
    return yaml.safe_dump({key: value for key, value in (RESULT | changes).items() if value != "gone"})


def stage(**changes: Any) -> str:
    """result.yaml with changes to its stage."""
    return result(model_stages={"best": {key: value for key, value in (STAGE | changes).items() if value != "gone"}})


def monitor(*fields: str) -> str:
    return "\t".join(fields) + "\n"


def written(file: Path, text: str | bytes) -> None:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())


def whats(env_file: Path) -> list[str]:
    return [finding.what for finding in check_out(env_file)]


def test_outputs_that_hold_to_the_contract_have_no_finding(training: Finished) -> None:
    assert check_out(training[0]) == []


def test_mining_and_inference_outputs_that_hold_to_the_contract_have_no_finding(candidates: Finished) -> None:
    assert check_out(candidates[0]) == []


def test_a_finding_names_the_file_and_says_what_to_do(training: Finished) -> None:
    env_file, output = training
    output["training_result_file"].unlink()
    (finding,) = check_out(env_file)
    assert finding.file == output["training_result_file"]
    assert str(finding) == f"{finding.file}: there is no such file. Write it after every checkpoint"


BROKEN_MONITOR = [
    ("", "line 1 has 1 fields"),  # empty: the platform would wait for ever
    (f"{TASK_ID} 1 1.0 2\n", "line 1 has 1 fields"),  # blanks instead of tabs
    (monitor("other", "1", "1", "2"), "field 1 is 'other'"),
    (monitor(TASK_ID, "2024-01-01", "1", "2"), "timestamp '2024-01-01'"),  # ISO time
    (monitor(TASK_ID, "nan", "1", "2"), "timestamp 'nan'"),
    (monitor(TASK_ID, "1", "1"), "line 1 has 3 fields"),
    (b"t\xff\t1\t1\t2", "not UTF-8"),
    (monitor(TASK_ID, "1", "1", "5"), "state '5'"),
    (monitor(TASK_ID, "1", "-0.1", "2"), "percent '-0.1'"),
    (monitor(TASK_ID, "1", "50%", "2"), "percent '50%'"),
    (monitor(TASK_ID, "1", "nan", "2"), "percent 'nan'"),
    (monitor(TASK_ID, "1", "100", "2"), "percent '100'"),
    (monitor(TASK_ID, "1", "0.4", "2"), "percent is 0.4"),  # ended well, but not at its end
    (monitor(TASK_ID, "1", "1", "ES_RUNNING"), "state 'ES_RUNNING'"),
    (monitor(TASK_ID, "1", "1", "3"), "state '3'"),  # final for platforms up to 2.2
    (monitor(TASK_ID, "1", "1", "4"), "state is 4"),
    (monitor(TASK_ID, "1", "1", "2", "x"), "code 'x'"),
    (monitor(TASK_ID, "1", "1", "2", "300001"), "code is 300001"),
]


@pytest.mark.parametrize(("text", "what"), BROKEN_MONITOR)
def test_a_breach_in_monitor_txt_is_found(training: Finished, text: str | bytes, what: str) -> None:
    env_file, output = training
    written(output["monitor_file"], text)
    (found,) = whats(env_file)
    assert found.startswith(what)


BROKEN_RESULT = [
    ("a: !!python/tuple [1]", "not plain YAML"),  # what dumping numpy values gives
    ("- 1", "holds list"),
    ("", "holds NoneType"),
    (b"a: \xff", "not UTF-8"),
    ("a: 2024-13-45", "not plain YAML"),
    (result(model_stages="gone"), "model_stages is None"),
    (result(model_stages=[STAGE]), "model_stages is ["),
    (result(best_stage_name="gone"), "best_stage_name None"),
    (result(best_stage_name=["best"]), "best_stage_name ['best']"),
    (result(object_type=3), "object_type is 3"),
    (result(attachments=["a.txt"]), "attachments is ['a.txt']"),
    (result(attachments={"log": "a.txt"}), "attachments.log is 'a.txt'"),
    (result(evaluate_config=[0.5]), "evaluate_config is [0.5]"),
    (result(model_stages={}), "model_stages is {}"),
    (result(best_stage_name="last"), "best_stage_name 'last'"),
    (result(object_type="gone"), "object_type is None"),
    (result(model=["best.pt"]), "the key 'model'"),  # the old form would be assumed
    (result(attachments=None), "attachments is None"),
    (result(attachments={"log": ["a.txt"]}), "file 'a.txt' is not a regular file"),
    (result(evaluate_config={"iou_thr": None}), "evaluate_config.iou_thr is None"),
    (result(evaluate_config={"iou_thr": "0.5:0.95"}), "evaluate_config.iou_thr is '0.5:0.95'"),
    (stage(stage_name="other"), "stage 'best': stage_name is 'other'"),
    (stage(stage_name="gone"), "stage 'best': stage_name is None"),
    (stage(timestamp="gone"), "stage 'best': timestamp is None"),
    (stage(timestamp=1.5), "stage 'best': timestamp is 1.5"),
    (stage(mAP=55.0), "stage 'best': mAP is 55.0"),  # a percent value
    (stage(mAP=None), "stage 'best': mAP is None"),
    (stage(mAP="0.5"), "stage 'best': mAP is '0.5'"),
    (stage(tp=1.5), "stage 'best': tp is 1.5"),
    (stage(mAP="gone"), "stage 'best': mAP is missing"),
    (stage(mAP=-1), "stage 'best': mAP is -1"),  # COCO's word for no ground truth
    (stage(mAR=float("nan")), "stage 'best': mAR is nan"),
    (stage(fp=-1), "stage 'best': fp is -1"),
    (stage(TP=1), "stage 'best': TP is ignored"),
    (stage(files=["best.pt", "gone.onnx"]), "stage 'best': file 'gone.onnx' is not a regular file"),
    (stage(files=["best.pt", "/etc/hostname"]), "stage 'best': file '/etc/hostname' is outside"),
    (stage(files=["best.pt", "../best/best.pt"]), "stage 'best': file '../best/best.pt' is outside"),
]


@pytest.mark.parametrize(("text", "what"), BROKEN_RESULT)
def test_a_breach_in_result_yaml_is_found(training: Finished, text: str | bytes, what: str) -> None:
    env_file, output = training
    written(output["training_result_file"], text)
    (found,) = whats(env_file)
    assert found.startswith(what)


@pytest.mark.parametrize("name", ["a/b", "a@b", "n" * 101])
def test_a_stage_name_that_the_platform_cannot_carry_is_found(training: Finished, name: str) -> None:
    env_file, output = training
    (output["models_dir"] / "best.pt").write_bytes(b"weights")
    document = result(model_stages={name: STAGE | {"stage_name": name}}, best_stage_name=name)
    output["training_result_file"].write_text(document, encoding="utf-8")
    assert whats(env_file) == [f"stage {name!r}: the name is not allowed"]


def test_a_model_file_that_is_a_link_is_found(training: Finished) -> None:
    env_file, output = training
    weights = output["models_dir"] / "best" / "best.pt"
    weights.rename(output["models_dir"] / "real.pt")
    weights.symlink_to(output["models_dir"] / "real.pt")
    assert whats(env_file) == [f"stage 'best': file 'best.pt' is not a regular file in {weights.parent}"]


def test_a_model_file_beside_the_stage_folders_is_as_good(training: Finished) -> None:
    env_file, output = training
    (output["models_dir"] / "best" / "best.pt").rename(output["models_dir"] / "best.pt")
    assert check_out(env_file) == []


def test_weights_and_curves_must_be_there(training: Finished) -> None:
    env_file, output = training
    (output["models_dir"] / "best" / "notes.txt").write_bytes(b"notes")
    output["training_result_file"].write_text(stage(files=["notes.txt"]), encoding="utf-8")
    next(output["tensorboard_dir"].glob("events*")).unlink()  # executor.log, the platform's own, does not count
    assert whats(env_file) == ["no stage lists weights", "there are no curves"]


def test_more_stages_than_the_toolkit_keeps_are_found(training: Finished) -> None:
    env_file, output = training
    stages = {f"s{number}": STAGE | {"stage_name": f"s{number}"} for number in range(12)}
    for name in stages:
        (output["models_dir"] / name).mkdir()
        (output["models_dir"] / name / "best.pt").write_bytes(b"weights")
    output["training_result_file"].write_text(result(model_stages=stages, best_stage_name="s1"), encoding="utf-8")
    assert whats(env_file) == ["there are 12 stages"]


BROKEN_RANKING = [
    ("10.png 0.5\n", "line 1 is not an image, one tab and a finite score"),  # a blank instead of a tab
    ("10.png,0.5\n", "line 1 is not an image, one tab and a finite score"),
    ("image\tscore\n10.png\t1\n", "line 1 is not an image, one tab and a finite score"),  # a header
    (b"\xff\t1\n", "not UTF-8"),
    ("", "3 images are missing"),
    ("10.png\tnan\n", "line 1 is not an image, one tab and a finite score"),
    ("10.png\t1\t2\n", "line 1 is not an image, one tab and a finite score"),
    ("10.png\t0.1\n20.png\t0.5\n30.png\t0\n", "line 2 has a higher score (0.5) than line 1 (0.1)"),
    ("10.png\t0.5\n20.png\t0.4\n", "1 images are missing, first '30'"),
    (
        "10.png\t3\n20.png\t2\n30.png\t1\n10.png\t0\n",
        "1 images are listed too often, or are not candidates, first '10'",
    ),
]


@pytest.mark.parametrize(("text", "what"), BROKEN_RANKING)
def test_a_breach_in_result_tsv_is_found(candidates: Finished, text: str | bytes, what: str) -> None:
    env_file, output = candidates
    written(output["mining_result_file"], text)
    (found,) = whats(env_file)
    assert found.startswith(what)


ON_BOX = "box 0 of image '10.png': "
BROKEN_DETECTIONS = [
    ("{", "not JSON"),
    ("[]", "key 'detection' is missing"),
    (b"\xff", "not UTF-8"),
    ('{"detection": []}', "key 'detection' is missing"),
    (detections().replace("20.png", "10.png"), "key '10.png' occurs twice"),
    (detections(class_name=""), ON_BOX + "class_name is ''"),  # fails the whole task
    (detections(class_name=3), ON_BOX + "class_name is 3"),
    (detections(score="0.9"), ON_BOX + "score is '0.9'"),
    (detections(score=float("nan")), ON_BOX + "score is nan"),
    (box(w=0), ON_BOX + "w is 0"),
    (box(h=-4), ON_BOX + "h is -4"),
    (box(y=None), ON_BOX + "y is None"),
    (detections().replace('"boxes": []', '"boxes": {}', 1), "image '20.png' has no list 'boxes'"),
    (detections(box=[1, 2, 3, 4]), ON_BOX + "box is [1, 2, 3, 4]"),
    (detections(class_name=None), ON_BOX + "class_name is None"),  # fails the whole task
    (detections(class_name="cow"), ON_BOX + "class_name 'cow' is not in class_names"),
    (detections(score=None), ON_BOX + "score is None"),  # the object would be dropped
    (detections(score=1.01), ON_BOX + "score is 1.01"),
    (detections(box=None), ON_BOX + "box is None"),
    (box(x=1.5), ON_BOX + "x is 1.5"),  # fails the whole task
    (box(w=True), ON_BOX + "w is True"),
    (box(h=2**31), ON_BOX + "h is 2147483648"),
    (box(angle=0.5), ON_BOX + "unknown key 'angle'"),
    (box(rotate_angle="0.5"), ON_BOX + "rotate_angle is '0.5'"),
    (box(rotate_angle=float("nan")), ON_BOX + "rotate_angle is nan"),
    (box(rotateAngle=float("-inf")), ON_BOX + "rotateAngle is -inf"),
    (detections().replace('"boxes": []', '"box": []', 1), "image '20.png' has no list 'boxes'"),
    (detections().replace("30.png", "/x/30.png"), "image '30.png' is missing"),
    (detections().replace("30.png", "30"), "image '30.png' is missing"),  # the extension belongs to the key
]


@pytest.mark.parametrize(("text", "what"), BROKEN_DETECTIONS)
def test_a_breach_in_infer_result_json_is_found(candidates: Finished, text: str | bytes, what: str) -> None:
    env_file, output = candidates
    written(output["infer_result_file"], text)
    assert whats(env_file)[0].startswith(what)


@pytest.mark.parametrize(
    "text",
    [
        detections(class_name="BIG CAT"),  # the platform lower-cases
        box(x=-3),  # nothing is clipped
        box(x=4.0, rotate_angle=0.25),  # integral floats are integers; an angle is welcome
    ],
)
def test_what_the_platform_accepts_is_accepted(candidates: Finished, text: str | bytes) -> None:
    env_file, output = candidates
    output["infer_result_file"].write_text(text, encoding="utf-8")
    assert check_out(env_file) == []


def two_boxes(first: dict[str, float], second: dict[str, float]) -> str:
    """infer-result.json with two boxes on two images, with further keys each."""
    boxes = [[BOX | {"box": BOX["box"] | more}] for more in (first, second)]
    images = {"10.png": {"boxes": boxes[0]}, "20.png": {"boxes": []}, "30.png": {"boxes": boxes[1]}}
    return json.dumps({"detection": images})


@pytest.mark.parametrize(
    ("first", "second", "rotated", "found"),
    [
        ({}, {}, False, []),
        ({}, {}, True, ["2 of 2 boxes have no rotate_angle"]),
        ({"rotate_angle": 0.5}, {}, False, ["1 of 2 boxes have no rotate_angle"]),  # forgotten on the way
        ({"rotate_angle": 0.5}, {"rotateAngle": -0.5}, True, []),  # protobuf knows both spellings
        ({"rotate_angle": 0}, {"rotate_angle": 0.0}, True, []),
    ],
)
def test_a_rotated_image_gives_every_box_an_angle(
    candidates: Finished, first: dict[str, float], second: dict[str, float], rotated: bool, found: list[str]
) -> None:
    env_file, output = candidates
    output["infer_result_file"].write_text(two_boxes(first, second), encoding="utf-8")
    assert [finding.what for finding in check_out(env_file, rotated=rotated)] == found


def test_a_rotated_image_may_find_nothing(candidates: Finished) -> None:
    env_file, output = candidates
    nothing = {"detection": {f"{value}.png": {"boxes": []} for value in (10, 20, 30)}}
    output["infer_result_file"].write_text(json.dumps(nothing), encoding="utf-8")
    assert check_out(env_file, rotated=True) == []


def test_the_first_protocol_wants_the_old_keys(candidates: Finished) -> None:
    env_file, output = candidates
    env = yaml.safe_load(env_file.read_text(encoding="utf-8"))
    del env["protocol_version"]
    env_file.write_text(yaml.safe_dump(env), encoding="utf-8")
    assert [what for what in whats(env_file) if "has no list 'annotations'" in what]
    output["infer_result_file"].write_text(detections().replace('"boxes"', '"annotations"'), encoding="utf-8")
    assert check_out(env_file) == []


MISSING = ["monitor_file", "mining_result_file", "infer_result_file"]


@pytest.mark.parametrize("key", MISSING)
def test_a_file_that_is_missing_is_found_where_it_lies_by_mistake(candidates: Finished, key: str) -> None:
    env_file, output = candidates
    file = output[key]
    (file.parent / "results").mkdir()
    stray = file.rename(file.parent / "results" / file.name)
    [finding] = check_out(env_file)
    assert (finding.file, finding.what, finding.advice) == (file, "there is no such file", f"Move {stray} there")
    stray.unlink()
    [finding] = check_out(env_file)
    assert finding.advice.startswith("Write")


def test_a_result_beside_the_models_folder_is_found_there(training: Finished) -> None:
    env_file, output = training
    file = output["training_result_file"]
    stray = file.rename(output["root_dir"] / file.name)
    [finding] = check_out(env_file)
    assert finding.advice == f"Move {stray} there"


def test_weights_without_content_are_found(training: Finished) -> None:
    env_file, output = training
    (output["models_dir"] / "best" / "best.pt").write_bytes(b"")
    assert whats(env_file) == ["stage 'best': file 'best.pt' is empty"]


def test_a_folder_where_a_model_file_is_expected_is_found(training: Finished) -> None:
    env_file, output = training
    (output["models_dir"] / "best" / "best.pt").unlink()
    (output["models_dir"] / "best" / "best.pt").mkdir()
    [what] = whats(env_file)
    assert what.startswith("stage 'best': file 'best.pt' is not a regular file")


def test_two_stages_with_one_file_of_weights_are_found(training: Finished) -> None:
    env_file, output = training
    (output["models_dir"] / "best" / "best.pt").rename(output["models_dir"] / "best.pt")
    stages = {name: STAGE | {"stage_name": name} for name in ("best", "last")}
    output["training_result_file"].write_text(result(model_stages=stages), encoding="utf-8")
    assert whats(env_file) == ["stages 'best' and 'last' share the weights 'best.pt'"]


def test_no_odd_value_in_result_yaml_breaks_the_check(training: Finished) -> None:
    env_file, output = training
    task = Task.load(env_file)
    for document in variants(RESULT | {"attachments": {}, "evaluate_config": {"iou_thr": 0.5}}):
        output["training_result_file"].write_text(yaml.safe_dump(document), encoding="utf-8")
        check_training(task)


def test_no_odd_value_in_infer_result_json_breaks_the_check(candidates: Finished) -> None:
    env_file, output = candidates
    task = Task.load(env_file)
    for document in variants(json.loads(detections())):
        output["infer_result_file"].write_text(json.dumps(document), encoding="utf-8")
        check_detections(task)


# the command


def command(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", *map(str, words)], env={"COLUMNS": "400"})
    return result.exit_code, result.output


@pytest.mark.parametrize("place", ["in/env.yaml", "in", "out", "."])
def test_the_command_takes_the_task_or_any_of_its_folders(training: Finished, tmp_path: Path, place: str) -> None:
    assert command(tmp_path / place) == (0, "No problems: the platform will read these outputs as intended.\n")


def test_the_command_says_what_where_and_what_to_do(training: Finished, tmp_path: Path) -> None:
    _, output = training
    output["training_result_file"].write_text(result(object_type=3), encoding="utf-8")
    next(output["tensorboard_dir"].glob("events*")).unlink()
    assert command(tmp_path / "out") == (
        1,
        f"1. {output['training_result_file']}\n   object_type is 3\n   -> Write 2: platforms 2.1 to 2.3 read it\n"
        f"2. {output['tensorboard_dir']}\n   there are no curves\n   -> Write tensorboard events below it\n"
        "2 findings\n",
    )


def test_the_command_takes_what_an_image_is_registered_by(tmp_path: Path) -> None:
    image = REPOSITORY / "det-yolov5-tmi"
    for place in (image, image / "img-man"):
        assert command(place)[0] == 0
    (tmp_path / "img-man").mkdir()
    status, shown = command(tmp_path / "img-man")
    assert (status, "no task has a template" in shown, "4 findings" in shown) == (1, True, True)


def test_the_command_refuses_what_is_neither(tmp_path: Path) -> None:
    status, shown = command(tmp_path)
    assert status == 1
    assert "Give the env.yaml of a finished task, its folder `out` with `in` beside it, or a folder `img-man`" in shown


def test_outputs_of_the_platforms_own_paths_are_found_beside_their_task(training: Finished, tmp_path: Path) -> None:
    env_file, _ = training
    text = env_file.read_text(encoding="utf-8").replace(f"{tmp_path}/", "/")
    env_file.write_text(text, encoding="utf-8")
    assert command(tmp_path / "out")[0] == 0
