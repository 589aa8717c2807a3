"""Model files of ultralytics: ours and its own are read, and nothing in one is run."""

import os
import pickle
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch

from common.errors import ModelError
from common.yolo import pickled
from common.yolo.checkpoint import read_weights, read_weights_for
from common.yolo.export import export_onnx
from common.yolo.offline import go_offline
from common.yolo.options import parse_options


@pytest.fixture(scope="module", autouse=True)
def offline() -> None:
    go_offline()


def model_of(name: str) -> Any:
    from ultralytics.nn.tasks import DetectionModel, RTDETRDetectionModel, SegmentationModel

    kind = SegmentationModel if "seg" in name else RTDETRDetectionModel if "rtdetr" in name else DetectionModel
    torch.manual_seed(0)
    return kind(f"{name}.yaml", nc=2, verbose=False).eval()


def saved(path: Path, model: Any, **rest: Any) -> Path:
    torch.save({"model": model, "train_args": {"task": "detect"}, **rest}, path)
    return path


@pytest.mark.parametrize(
    "name", ["yolov5n", "yolov8n", "yolov9t", "yolov10n", "yolo11n", "yolo12n", "yolo26n", "yolov8n-seg", "yolo11n-seg"]
)
def test_every_family_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    model = model_of(name)
    found = read_weights(saved(tmp_path / "best.pt", model))
    assert type(found) is type(model)
    state, expected = found.state_dict(), model.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], expected[key].float()) for key in expected)
    pixels = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(first(found(pixels)), first(model(pixels)))


def first(output: Any) -> torch.Tensor:
    return output if isinstance(output, torch.Tensor) else first(output[0])


def test_a_training_state_is_read_with_its_loss_left_out(tmp_path: Path) -> None:
    from ultralytics.cfg import get_cfg
    from ultralytics.utils.loss import v8DetectionLoss

    model = model_of("yolov8n")
    model.args = get_cfg()
    criterion = v8DetectionLoss(deepcopy(model))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9).state_dict()
    model.criterion = criterion
    path = saved(tmp_path / "last.pt", None, ema=model, epoch=3, optimizer=optimizer, scaler={})
    content = pickled.read(path)
    assert content["ema"].criterion is None
    assert content["ema"].args.task == "detect"
    assert content["optimizer"]["param_groups"][0]["lr"] == 0.1


def test_a_function_of_a_class_as_an_attribute_is_left_out(tmp_path: Path) -> None:
    from ultralytics.nn.modules import Detect

    model = model_of("yolov8n-seg")
    model.model[-1].detect = Detect.forward  # as files of 2023 have it
    found = read_weights(saved(tmp_path / "best.pt", model))
    assert "detect" not in vars(found.model[-1])


class Runs:
    """Makes a pickle that runs a command."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


@pytest.mark.parametrize("place", ["model", "ema", "train_args", "beside", "attribute", "raw"])
def test_a_pickle_that_runs_something_is_refused_by_name(tmp_path: Path, place: str) -> None:
    marker, path = tmp_path / "marker", tmp_path / "best.pt"
    runs = Runs(os.system, f"touch {marker}")
    model = model_of("yolov5n")
    if place == "raw":
        path.write_bytes(pickle.dumps(runs))
    elif place == "attribute":
        model.names = runs
        saved(path, model)
    else:
        torch.save({"model": model, "train_args": {}} | {place: runs}, path)
    for read in (read_weights, lambda path: read_weights_for(path, "detect"), lambda path: export_onnx(path, 64, 12)):
        with pytest.raises(ModelError, match=r"best\.pt: refused: it would run posix\.system; a model file may hold"):
            read(path)
        assert not marker.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("activation", "open({marker!r}, 'w')"),
        ("activation", "torch.nn.SiLU() if open({marker!r}, 'w') else None"),
        ("activation", "__import__('pathlib').Path({marker!r}).touch()"),
        ("backbone", [[-1, 1, "torch_safe_load", ["{file}"]]]),
        ("backbone", [[-1, 1, "Path.touch", ["{marker}"]]]),
        ("backbone", [[-1, 1, "nn.init.zeros_", ["{marker}"]]]),
        ("backbone", [[-1, 1, "TorchVision", [64, "resnet18"]]]),
    ],
)
def test_an_architecture_that_runs_something_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    marker, evil = tmp_path / "marker", tmp_path / "evil.pt"
    evil.write_bytes(pickle.dumps(Runs(os.system, f"touch {marker}")))
    model = model_of("yolov5n")
    filled = str(value).replace("{marker!r}", repr(str(marker))).replace("{marker}", str(marker))
    model.yaml[key] = (
        filled.replace("{file}", str(evil)) if key == "activation" else eval(filled.replace("{file}", str(evil)))
    )
    path = saved(tmp_path / "best.pt", model)

    from ultralytics.nn.tasks import DetectionModel

    with pytest.raises((ModelError, TypeError, KeyError, AttributeError)):
        DetectionModel(read_weights(path).yaml, verbose=False)  # as a training builds it again
    assert not marker.exists()


def test_a_teacher_cannot_be_named() -> None:
    with pytest.raises(ValueError, match="distill_model"):
        parse_options("distill_model=/in/models/teacher.pt")
