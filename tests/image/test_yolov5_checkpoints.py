"""Checkpoints of the yolov5 repository are read as what they are, and nothing in them runs."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import plain_yolov5
import pytest
import torch
import ultralytics
from written_by_yolov5 import V5, V6, configuration, model_of, repository, write

from common.errors import ModelError
from common.weights.pickles import load, torch_layers
from common.yolo.anchored.layers import activation as activation_of
from common.yolo.anchored.legacy import is_yolov5, load_yolov5
from common.yolo.anchored.model import AnchoredModel
from common.yolo.offline import go_offline
from workbench.images import REPOSITORY

go_offline()

COCO = REPOSITORY.parent / "shared" / "data" / "weights" / "yolov5n-coco-v6.pt"
real = pytest.mark.skipif(not COCO.is_file(), reason=f"there is no {COCO}: a checkpoint that yolov5 v6 wrote")


def output(model: AnchoredModel, pixels: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(pixels)[0]


def shell(path: Path) -> Any:
    content = load(path, classes=[torch_layers], shells=["models.", "utils."])
    return content["model"] if content["ema"] is None else content["ema"]


def plain(path: Path, pixels: torch.Tensor) -> np.ndarray:
    """`(N, 4 + K)`: what a plain implementation sees in an input."""
    network = shell(path)
    head = network.model[-1]
    anchors = (head.anchors.float() * head.stride.float().view(-1, 1, 1)).numpy()
    with torch.no_grad():
        scales = plain_yolov5.forward(network, pixels)
    return plain_yolov5.decode(scales, anchors, [int(stride) for stride in head.stride])


@real
def test_a_real_checkpoint_predicts_what_a_plain_implementation_does(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    picture = cv2.imread(str(Path(ultralytics.__file__).parent / "assets" / "bus.jpg"))
    pixels = torch.from_numpy(cv2.resize(picture, (256, 320))[:, :, ::-1].copy()).permute(2, 0, 1)[None].float() / 255
    found = output(load_yolov5(COCO), pixels)[0].T.numpy()
    np.testing.assert_allclose(found, plain(COCO, pixels), rtol=1e-4, atol=1e-4)
    assert "YOLOv5 v6 checkpoint: yolov5n, 80 classes" in caplog.text


@real
def test_a_real_checkpoint_finds_the_persons_and_the_bus() -> None:
    from common.yolo.predictor import Settings, YoloPredictor

    picture = cv2.imread(str(Path(ultralytics.__file__).parent / "assets" / "bus.jpg"))
    predictor = YoloPredictor(load_yolov5(COCO), torch.device("cpu"), Settings())
    found = predictor.predict(predictor.prepare(picture).pixels[None], class_maps=False)[0].detections
    assert sorted(predictor.class_names[i] for i in found.classes) == ["bus", *["person"] * 4]


KINDS = {
    "v5": (V5, "Model", "model", ["cat", "dog"], False),
    "v6": (V6, "Model", "ema", ["cat", "dog"], False),
    "v7": (V6, "DetectionModel", "model", {0: "cat", 1: "dog"}, False),
    "v7-seg": (V6, "SegmentationModel", "ema", {0: "cat", 1: "dog"}, True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_version_is_read(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    rows, network, key, names, masks = KINDS[kind]
    model = model_of(configuration(rows, masks=masks))
    path = write(model, tmp_path / "best.pt", network=network, key=key, names=names)
    assert is_yolov5(path)
    read = load_yolov5(path)
    pixels = torch.rand(1, 3, 64, 96)
    for ours, theirs in zip(output(read, pixels), output(model, pixels), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert read.names == {0: "cat", 1: "dog"}
    assert read.task == ("segment" if masks else "detect")
    assert f"YOLOv5 {kind[:2]} checkpoint: yolov5n{'-seg' if masks else ''}, 2 classes" in caplog.text
    if not masks:
        np.testing.assert_allclose(output(read, pixels)[0].T.numpy(), plain(path, pixels), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("activation", "more"),
    [
        ("torch.nn.Hardswish()", {}),
        ("torch.nn.LeakyReLU(0.1)", {}),
        ("torch.nn.SiLU()", {"depth": 1.0, "width": 0.125}),
    ],
)
def test_changed_models_are_read(activation: str, more: dict[str, float], tmp_path: Path) -> None:
    model = model_of(configuration(V6, masks=False, activation=activation, **more), ("a", "b", "c"))
    read = load_yolov5(write(model, tmp_path / "best.pt", half=False))
    pixels = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(output(read, pixels), output(model, pixels))
    with_masks = AnchoredModel(configuration(V6, masks=True, activation=activation, **more))
    kinds = {type(module).__name__ for module in with_masks.model[-1].proto.modules()}
    assert type(activation_of(activation)).__name__ in kinds, "of the head, too"
    assert read.yaml["activation"] == activation
    assert read.yaml["yaml_file"] == ("yolov5-custom.yaml" if more else "yolov5n.yaml")


def test_a_model_of_another_task_is_refused(tmp_path: Path) -> None:
    path = write(model_of(configuration(V6, masks=False)), tmp_path / "best.pt", network="ClassificationModel")
    with pytest.raises(ModelError, match=r"best\.pt: holds models\.yolo\.ClassificationModel"):
        load_yolov5(path)


def test_a_layer_that_is_not_known_is_refused_by_name(tmp_path: Path) -> None:
    model = model_of(configuration(V6, masks=False))
    model.yaml["backbone"][0][2] = "print"
    with pytest.raises(ModelError, match=r"best\.pt: .*the layer 'print' is not one of YOLOv5's"):
        load_yolov5(write(model, tmp_path / "best.pt"))


class Harmful:
    """Would create a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_nothing_in_a_checkpoint_runs(tmp_path: Path) -> None:
    victim = tmp_path / "created"
    with repository() as modules:
        kind = type("Model", (torch.nn.Module,), {"__module__": "models.yolo", "__qualname__": "Model"})
        modules["models.yolo"].Model = kind
        torch.save({"model": kind(), "ema": None, "opt": Harmful(victim)}, tmp_path / "best.pt")
    assert is_yolov5(tmp_path / "best.pt")
    with pytest.raises(ModelError, match=r"posix\.mkdir"):
        load_yolov5(tmp_path / "best.pt")
    assert not victim.exists()


def test_an_activation_that_is_text_is_not_evaluated(tmp_path: Path) -> None:
    model = model_of(configuration(V6, masks=False, activation="torch.nn.LeakyReLU(0.1)"))
    for module in model.modules():
        if isinstance(module, torch.nn.LeakyReLU):
            module.negative_slope = f"__import__('os').mkdir({str(tmp_path / 'created')!r})"
    with pytest.raises(ModelError, match="could not convert"):
        load_yolov5(write(model, tmp_path / "best.pt"))
    assert not (tmp_path / "created").exists()


def test_other_files_are_not_taken_for_one(tmp_path: Path) -> None:
    torch.save({"model": None}, tmp_path / "other.pt")
    (tmp_path / "text.pt").write_bytes(b"no weights")
    assert not is_yolov5(tmp_path / "other.pt")
    assert not is_yolov5(tmp_path / "text.pt")
