"""`load_predictor`: weights, parameters and images of any size in, a predictor or a clear refusal out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from lively_mmlab import KINDS, Lively, lively_model, lively_weights, pictures
from mmengine.config import Config

from common.errors import ConfigError, ModelError
from common.mmlab.fit.config import load_config
from common.mmlab.load import load_predictor
from common.mmlab.model.build import build_model
from common.mmlab.model.checkpoint import read_weights, write_weights
from common.mmlab.model.fitting import fitting_of, keeps_ratio
from common.mmlab.model.predictor import MmlabPredictor
from common.mmlab.options.catalogue import find_config
from common.mmlab.options.params import MmlabInfer, MmlabMining
from common.mmlab.patches.compat import prepare
from common.run.rank import Rank
from common.task.env import Task, read_env, read_task
from workbench.platform import write_candidate_task

NAMES = ("disc", "triangle", "star")
LEAST = 0.1


class Infer(MmlabInfer):
    package = "mmyolo"


class Mining(MmlabMining):
    package = "mmdet"


@pytest.fixture(scope="module")
def images(samples: list) -> np.ndarray:
    return pictures(samples, 12)


@pytest.fixture(scope="module")
def make(images: np.ndarray) -> Callable[..., Lively]:
    return lambda name: lively_model(KINDS[name], 3, images)


@pytest.fixture(scope="module")
def yolov8(images: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lively_weights(tmp_path_factory.mktemp("yolov8") / "best.pth", KINDS["mmyolo yolov8"], NAMES, images)


def found(predictor: MmlabPredictor, images: np.ndarray) -> int:
    return sum(len(prediction.detections) for prediction in predictor.predict(images, class_maps=False))


def a_task(
    root: Path, samples: list, files: list[Path], names: tuple[str, ...] = NAMES, *, mining: bool = False
) -> Task:
    env = write_candidate_task(root, samples[:1], files, names, {}, run_mining=mining, run_infer=True)
    return read_task(read_env(env))


def test_the_longer_side_of_an_image_fills_the_input(make: Callable[..., Lively]) -> None:
    predictor = make("mmyolo yolov8").predictor()
    assert predictor.prepare(np.zeros((60, 90, 3), np.uint8)).pixels.shape == (64, 64, 3)
    assert predictor.prepare(np.zeros((30, 90, 3), np.uint8)).pixels.shape == (32, 64, 3)
    assert make("mmyolo yolov8").predictor(img_size=200).prepare(np.zeros((100, 50, 3), np.uint8)).pixels.shape == (
        224,
        128,
        3,
    )


def test_both_sides_of_an_image_have_their_limit(make: Callable[..., Lively]) -> None:
    lively = make("mmdet retinanet")
    lively = replace(lively, config=load_config("mmdet", "retinanet/retinanet_r18_fpn_1x_coco.py"))
    lively.config.model.bbox_head.num_classes = 3
    square, wide = (np.zeros(shape, np.uint8) for shape in ((600, 600, 3), (300, 900, 3)))
    assert lively.predictor().prepare(square).pixels.shape == (800, 800, 3)
    assert lively.predictor().prepare(wide).pixels.shape == (448, 1344, 3)
    assert lively.predictor(img_size=1000).prepare(square).placement.scale_x == pytest.approx(1)
    assert lively.predictor(img_size=1000).prepare(wide).placement.scale_x == pytest.approx(1000 / 900, abs=0.01)


def test_boxes_come_back_to_an_image_of_any_shape(make: Callable[..., Lively], samples: list) -> None:
    image = cv2.resize(pictures(samples, 1)[0], (200, 120))
    predictor = make("mmyolo rtmdet").predictor()
    prepared = predictor.prepare(image)
    found = predictor.predict(prepared.pixels[None], class_maps=False)[0].detections
    boxes = prepared.placement.to_image(found).boxes
    assert len(boxes) > 0
    assert boxes[:, 2].max() > 100
    assert (boxes <= (200, 120, 200, 120)).all()


def test_models_with_six_scales_get_a_multiple_of_64() -> None:
    prepare("mmyolo")
    config = load_config("mmyolo", find_config("yolov5_n-p6-v62_syncbn_fast_8xb16-300e_coco", "mmyolo", {}))
    fitting = fitting_of(config, build_model(config, "mmyolo"), 320)
    assert fitting.prepare(np.zeros((100, 300, 3), np.uint8)).pixels.shape == (128, 320, 3)


def test_models_that_are_tested_on_squares_get_squares() -> None:
    prepare("mmdet")
    assert not keeps_ratio(load_config("mmdet", "ssd/ssd300_coco.py"))
    assert keeps_ratio(load_config("mmdet", "yolox/yolox_tiny_8xb8-300e_coco.py"))


def test_given_weights_are_loaded(yolov8: Path, samples: list, tmp_path: Path, images: np.ndarray) -> None:
    predictor = load_predictor(a_task(tmp_path, samples, [yolov8]), Infer(conf_threshold=LEAST), Rank())
    assert predictor.class_names == NAMES
    assert found(predictor, images) > 0


def test_cfg_options_win_over_everything(yolov8: Path, samples: list, tmp_path: Path, images: np.ndarray) -> None:
    task = a_task(tmp_path, samples, [yolov8])

    def count(**options: Any) -> int:
        return found(load_predictor(task, Infer(**options), Rank()), images)

    assert count(conf_threshold=0.6) > 0
    lower = count(conf_threshold=0.6, cfg_options="model.test_cfg.score_thr=0.1")
    assert lower == count(conf_threshold=0.1) > count(conf_threshold=0.6)


def test_cfg_options_that_do_not_fit_are_refused(yolov8: Path, samples: list, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cfg_options: .*score_thr\.x"):
        load_predictor(a_task(tmp_path, samples, [yolov8]), Infer(cfg_options="model.test_cfg.score_thr.x=1"), Rank())


def test_a_detector_without_class_maps_is_refused_for_aldd_before_it_runs(
    samples: list, tmp_path: Path, images: np.ndarray
) -> None:
    weights = lively_weights(tmp_path / "best.pth", KINDS["mmdet faster r-cnn"], NAMES, images)
    task = a_task(tmp_path / "t", samples, [weights], mining=True)
    with pytest.raises(
        ConfigError,
        match=r"^mining_algorithm: 'aldd' needs class maps, which FasterRCNN does not provide; use one of cald",
    ):
        load_predictor(task, Mining(mining_algorithm="aldd"), Rank())
    load_predictor(task, Mining(mining_algorithm="cald"), Rank())


def test_weights_for_other_classes_are_refused(yolov8: Path, samples: list, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"best\.pth: trained for 3 classes, but class_names has 2"):
        load_predictor(a_task(tmp_path, samples, [yolov8], ("a", "b")), Infer(), Rank())


def test_other_names_of_as_many_classes_are_reported_with_a_warning(
    yolov8: Path, samples: list, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predictor = load_predictor(a_task(tmp_path, samples, [yolov8], ("a", "b", "c")), Infer(), Rank())
    assert predictor.class_names == NAMES
    assert "the former are reported" in caplog.text


def test_weights_without_a_configuration_are_refused(yolov8: Path, samples: list, tmp_path: Path) -> None:
    torch.save(dict(read_weights(yolov8).state_dict), tmp_path / "best.pth")
    with pytest.raises(ModelError, match=r"best\.pth: it has no configuration"):
        load_predictor(a_task(tmp_path / "t", samples, [tmp_path / "best.pth"]), Infer(), Rank())


def test_a_bare_state_dict_with_a_configuration_beside_it_is_loaded(
    yolov8: Path, samples: list, tmp_path: Path
) -> None:
    weights = read_weights(yolov8)
    torch.save(dict(weights.state_dict), tmp_path / "best.pth")
    weights.config.dump(tmp_path / "config.py")
    task = a_task(tmp_path / "t", samples, [tmp_path / "best.pth", tmp_path / "config.py"])
    assert load_predictor(task, Infer(), Rank()).class_names == NAMES


def test_a_configuration_of_the_first_generation_is_refused(yolov8: Path, samples: list, tmp_path: Path) -> None:
    config = Config({"model": {"type": "YOLOX"}, "data": {"val": {}}})
    write_weights(tmp_path / "best.pth", read_weights(yolov8).state_dict, config=config, class_names=NAMES, model="")
    with pytest.raises(ModelError, match=r"best\.pth: its configuration has no model or no val_dataloader"):
        load_predictor(a_task(tmp_path / "t", samples, [tmp_path / "best.pth"]), Infer(), Rank())


def test_a_configuration_of_another_model_is_refused(yolov8: Path, samples: list, tmp_path: Path) -> None:
    weights = read_weights(yolov8)
    weights.config.model.backbone.widen_factor = 0.5
    path = tmp_path / "best.pth"
    write_weights(path, weights.state_dict, config=weights.config, class_names=NAMES, model="")
    with pytest.raises(ModelError, match=r"best\.pth: \d+ tensors are missing or of another shape: backbone"):
        load_predictor(a_task(tmp_path / "t", samples, [path]), Infer(), Rank())
    weights.config.model.backbone.type = "Nothing"
    write_weights(path, weights.state_dict, config=weights.config, class_names=NAMES, model="")
    with pytest.raises(ModelError, match=r"best\.pth: its configuration cannot be read: model\.backbone\.type: "):
        load_predictor(a_task(tmp_path / "u", samples, [path]), Infer(), Rank())
