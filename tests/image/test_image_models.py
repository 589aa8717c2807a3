"""Every model of the seed table, and one of each further family, builds, predicts and gives class maps."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from lively import build
from tasks import NAMES

from common.errors import ConfigError, ModelError
from common.run.rank import Rank
from common.task.env import read_env, read_task
from common.weights.given import report
from common.yolo.checkpoint import read_weights
from common.yolo.load import load_predictor
from common.yolo.offline import go_offline
from common.yolo.params import YoloMining
from common.yolo.predictor import Settings, YoloPredictor
from workbench.images import REPOSITORY, image
from workbench.platform import write_candidate_task

go_offline()

# Millions of parameters for 80 classes, in the seed document's table. It has those of yolov5s6 in the column of the
# FLOPs, and no yolov5x6, which is from the table of YOLOv5 v6.
SEED_MODELS = {
    "yolov5n": 1.9,
    "yolov5s": 7.2,
    "yolov5m": 21.2,
    "yolov5l": 46.5,
    "yolov5x": 86.7,
    "yolov5n6": 3.2,
    "yolov5s6": 12.6,
    "yolov5m6": 35.7,
    "yolov5l6": 76.8,
    "yolov5x6": 140.7,
}
WITHOUT_ANCHORS = {"yolov5nu": 2.7, "yolov5s6u": 15.3}
FAMILIES = [
    "yolov5nu",
    "yolov5n6u",
    "yolov3-tiny",
    "yolov6n",
    "yolov8n",
    "yolov9t",
    "yolov10n",
    "yolo11n",
    "yolo12n",
    "yolo26n",
    "yolov8n-p2",
]


def pictures(samples: list, count: int) -> np.ndarray:
    """`(count, 64, 64, 3)` uint8 model inputs that differ from each other."""
    return np.stack([cv2.resize(sample.image, (64, 64)) for sample in samples[:count]])


@pytest.mark.parametrize(("model", "millions"), [*SEED_MODELS.items(), *WITHOUT_ANCHORS.items()])
def test_every_model_of_the_seed_table_builds(model: str, millions: float) -> None:
    count = sum(parameter.numel() for parameter in build(model, 80).parameters()) / 1e6
    assert count == pytest.approx(millions, rel=0.01, abs=0.05)


@pytest.mark.parametrize("model", ["yolov5n", "yolov5n6", *FAMILIES])
def test_every_family_predicts_boxes_and_class_maps(model: str) -> None:
    torch.manual_seed(0)
    predictor = YoloPredictor(build(model, 3), torch.device("cpu"), Settings(img_size=96, conf_thres=0.0))
    prepared = predictor.prepare(np.zeros((60, 90, 3), np.uint8))
    prediction = predictor.predict(np.stack([prepared.pixels]), class_maps=True)[0]
    assert len(prediction.detections) > 0
    assert prediction.detections.probabilities.shape[1] == 3
    np.testing.assert_allclose(
        prediction.detections.probabilities.max(axis=1), prediction.detections.scores, rtol=1e-5, atol=1e-7
    )
    cells = [tuple(side // 2**n for side in prepared.pixels.shape[:2]) for n in range(2, 7)]
    assert all(maps.shape[0] == 3 and maps.shape[1:] in cells for maps in prediction.class_maps)


def test_a_prediction_does_not_depend_on_the_neighbours_in_its_batch(lively: Path, samples: list) -> None:
    predictor = YoloPredictor(read_weights(lively), torch.device("cpu"), Settings(img_size=64, conf_thres=0.1))
    images = pictures(samples, 3)
    together = predictor.predict(images, class_maps=False)
    for image_, prediction in zip(images, together, strict=True):
        alone = predictor.predict(image_[None], class_maps=False)[0]
        np.testing.assert_allclose(alone.detections.boxes, prediction.detections.boxes, atol=0.1)
        np.testing.assert_allclose(alone.detections.scores, prediction.detections.scores, atol=1e-4)


@pytest.mark.parametrize("size", [64, 100, 640])
def test_the_input_follows_img_size(lively: Path, size: int) -> None:
    predictor = YoloPredictor(read_weights(lively), torch.device("cpu"), Settings(img_size=size))
    height, width = predictor.prepare(np.zeros((50, 100, 3), np.uint8)).pixels.shape[:2]
    assert width == -(-size // 32) * 32
    assert height % 32 == 0


def test_thresholds_filter_detections(lively: Path, samples: list) -> None:
    images = pictures(samples, 16)

    def count(**thresholds: float) -> int:
        predictor = YoloPredictor(read_weights(lively), torch.device("cpu"), Settings(img_size=64, **thresholds))
        return sum(len(prediction.detections) for prediction in predictor.predict(images, class_maps=False))

    assert count(conf_thres=0.01) > count(conf_thres=0.5) > count(conf_thres=1.0) == 0
    assert count(conf_thres=0.01, iou_thres=0.95) > count(conf_thres=0.01, iou_thres=0.1)


def test_sync_bn_converts_the_layers_of_a_model_on_several_gpus() -> None:
    from common.yolo.trainer import YoloTrainer

    trainer = YoloTrainer.__new__(YoloTrainer)
    trainer.model, trainer.data, trainer.args = build("yolov5n", 3), {"nc": 3, "names": {0: "a"}}, None
    trainer.world_size, trainer.synchronise = 2, True
    trainer.set_model_attributes()
    kinds = {type(module) for module in trainer.model.modules()}
    assert torch.nn.SyncBatchNorm in kinds
    assert torch.nn.BatchNorm2d not in kinds


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    path.write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"best\.pt: cannot be loaded"):
        read_weights(path)


def test_packaged_weights_are_looked_up_by_the_exact_name() -> None:
    with image(REPOSITORY / "det-yolov5-tmi"):
        from zoo import MODELS, ZOO

        assert {*MODELS, "yolov5x6"} == set(SEED_MODELS)
        assert {model: ZOO.addresses[model].file_name for model in MODELS} == {model: f"{model}.pt" for model in MODELS}
        assert ZOO.find("yolov5") is None


def test_the_report_counts_what_matches(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    report(Path("best.pt"), ["a", "b"], ["a", "c"], ["a"])
    assert "1 of 2 tensors taken from best.pt" in caplog.text
    assert "in the file only: c" in caplog.text


def test_rtdetr_is_refused_for_aldd_before_it_runs(
    lively: Path, samples: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its head says at no cell what is there. Here another head stands in for it: it is large."""
    env = write_candidate_task(tmp_path, samples[:1], [lively], NAMES, {}, run_mining=True, run_infer=False)
    task = read_task(read_env(env))
    monkeypatch.setattr("common.yolo.load.is_rtdetr", lambda _: True)
    with pytest.raises(ConfigError, match="'aldd' needs class maps, which RT-DETR does not provide; use one of cald"):
        load_predictor(task, YoloMining(mining_algorithm="aldd"), Rank())
    load_predictor(task, YoloMining(mining_algorithm="cald"), Rank())
