"""result.yaml, as the platform validates it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from common.contract import ObjectType
from common.results.training import Stage, TrainingResult, keep_stages, unit, write_training_result

MODELS = "models"


def stage(name: str, **metrics: float) -> Stage:
    return Stage(name, (f"{name}.pt",), 1_700_000_000, {"mAP": 0.5} | metrics)


def write(root: Path, *stages: Stage, best: str = "best", legacy: bool = False, **more: Any) -> dict[str, Any]:
    """Write the files of the stages and the result; what the platform's parser loads of it."""
    for each in stages:
        for file in each.files:
            path = root / MODELS / each.name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"weights")
    path = root / MODELS / "result.yaml"
    result = TrainingResult(more.pop("object_type", ObjectType.DETECTION), stages, best, **more)
    write_training_result(path, root / MODELS, result, legacy=legacy)
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def platform_accepts(content: dict[str, Any], models: Path) -> None:
    """The checks of the platform's training command and ModelStorage, platform 2.1 and later."""
    assert "model" not in content  # would be taken for the form of 1.1
    stages = content["model_stages"]
    assert stages
    assert content["best_stage_name"] in stages
    for name, each in stages.items():
        assert each["stage_name"] == name
        assert "@" not in name
        assert "/" not in name
        assert type(each["timestamp"]) is int
        for metric in ("mAP", "mAR", "mIoU", "mAcc", "maskAP", "boxAP"):
            assert 0 <= float(each.get(metric, 0)) <= 1
        for file in each["files"]:
            assert isinstance(file, str)
            assert (models / name / file).is_file() or (models / file).is_file()
    assert all(type(value) is float for value in content.get("evaluate_config", {}).values())
    assert content.get("attachments", {}) == {}


def test_the_result_is_what_the_platform_accepts(tmp_path: Path) -> None:
    best = Stage("best", ("best.pt", "best.onnx"), 1_700_000_000, {"mAP": 0.75, "mAP50_95": 0.5})
    content = write(tmp_path, best, stage("epoch_10"), evaluate={"iou_thr": 0.5, "conf_thr": 0.001})
    platform_accepts(content, tmp_path / MODELS)
    assert content["model_stages"]["best"] == {
        "stage_name": "best",
        "files": ["best.pt", "best.onnx"],
        "timestamp": 1_700_000_000,
        "mAP": 0.75,
        "mAP50_95": 0.5,
    }
    assert content["object_type"] == 2  # what platforms 2.1 to 2.3 read the type of the model from
    assert content["evaluate_config"] == {"iou_thr": 0.5, "conf_thr": 0.001}


def test_numbers_of_numpy_are_written_as_plain_ones(tmp_path: Path) -> None:
    best = Stage("best", ("best.pt",), int(np.int64(7)), {"mAP": np.float64(0.5), "mAR": np.float32(0.25)})
    content = write(tmp_path, best, evaluate={"iou_thr": np.float64(0.5), "conf_thr": 0})
    platform_accepts(content, tmp_path / MODELS)
    text = (tmp_path / MODELS / "result.yaml").read_text(encoding="utf-8")
    assert "!" not in text  # no tag of python or numpy: yaml.safe_load fails on it


def test_platform_1_1_gets_its_own_form(tmp_path: Path) -> None:
    content = write(tmp_path, stage("epoch_1"), stage("best", mAP=0.8), legacy=True)
    assert content == {"model": ["best/best.pt"], "map": 0.8}
    assert all((tmp_path / MODELS / file).is_file() for file in content["model"])


@pytest.mark.parametrize(
    ("object_type", "metric"),
    [(ObjectType.DETECTION, "mAP"), (ObjectType.SEMANTIC, "mIoU"), (ObjectType.INSTANCE, "maskAP")],
)
def test_the_old_form_has_the_metric_of_the_object_type(tmp_path: Path, object_type: ObjectType, metric: str) -> None:
    content = write(tmp_path, stage("best", **{metric: 0.625}), legacy=True, object_type=object_type)
    assert content["map"] == 0.625


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"mAP": 1.5}, ["mAP", "1.5", "[0, 1]"]),
        ({"mAP": -1.0}, ["mAP", "-1.0"]),
        ({"mAP": math.nan}, ["mAP", "nan"]),
        ({"mIoU": 55.0}, ["mIoU", "55.0"]),  # in percent
    ],
)
def test_a_metric_that_the_platform_refuses_is_refused_here(
    tmp_path: Path, metrics: dict[str, float], words: list[str]
) -> None:
    with pytest.raises(ValueError, match="stage best") as raised:
        write(tmp_path, stage("best", **metrics))
    assert all(word in str(raised.value) for word in words)
    assert not (tmp_path / MODELS / "result.yaml").exists()


def test_a_file_that_does_not_exist_is_refused_and_the_old_result_stays(tmp_path: Path) -> None:
    write(tmp_path, stage("best"))
    path = tmp_path / MODELS / "result.yaml"
    before = path.read_bytes()
    gone = TrainingResult(ObjectType.DETECTION, [stage("best"), stage("last")], "best")
    with pytest.raises(ValueError, match=r"last\.pt does not exist"):
        write_training_result(path, tmp_path / MODELS, gone)
    (tmp_path / MODELS / "last" / "last.pt").mkdir(parents=True)  # the platform takes regular files only
    with pytest.raises(ValueError, match=r"last\.pt does not exist"):
        write_training_result(path, tmp_path / MODELS, gone)
    assert path.read_bytes() == before


def test_the_best_stage_must_be_one_of_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'best' is not among"):
        write(tmp_path, stage("last"))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.5, 0.5),
        (0, 0.0),
        (1.0000001, 1.0),
        (-1, 0.0),  # COCO tools: nothing to measure
        (math.nan, 0.0),
        (math.inf, 0.0),
        (np.float32(0.25), 0.25),
    ],
)
def test_a_metric_is_brought_into_range(value: float, written: float) -> None:
    assert unit(value) == written
    assert type(unit(value)) is float


@pytest.mark.parametrize(
    ("count", "best", "kept"),
    [
        (3, 1, [0, 1, 2]),  # all
        (11, 5, list(range(11))),  # just all
        (15, 14, list(range(4, 15))),  # the newest
        (15, 0, [0, *range(5, 15)]),  # the best, though it is the oldest
        (15, 7, list(range(4, 15))),  # the best is among the newest
        (1, 0, [0]),
    ],
)
def test_the_best_and_the_newest_stages_are_kept(count: int, best: int, kept: list[int]) -> None:
    stages = [stage(f"epoch_{i}") for i in range(count)]
    assert [each.name for each in keep_stages(stages, f"epoch_{best}")] == [f"epoch_{i}" for i in kept]
    assert len(kept) <= 11
