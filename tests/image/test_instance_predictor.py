"""A YOLO with masks: mask, box and score of one row are those of one object, in images of any shape."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lively import build, lively_detector
from tasks import NAMES

from common.contract import ObjectType
from common.errors import ModelError
from common.images.decode import Pixels
from common.predictions import Prediction
from common.run.rank import Rank
from common.task.env import read_env, read_task
from common.yolo.checkpoint import read_weights
from common.yolo.load import load_predictor
from common.yolo.names import segmenters
from common.yolo.params import YoloInfer
from common.yolo.predictor import Settings, YoloPredictor
from workbench.platform import write_candidate_task
from workbench.shapes import render

SEED_MODELS = {"yolov5n-seg": 2.0, "yolov5s-seg": 7.6, "yolov5m-seg": 22.0, "yolov5l-seg": 47.9, "yolov5x-seg": 88.8}
"""Millions of parameters for 80 classes, in the table of YOLOv5 v7.0."""

THRESHOLDS = {"conf_thres": 0.2, "iou_thres": 0.45}


@pytest.fixture(scope="module")
def weights(samples: list, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without anchors: with random weights, much of what an anchored one finds has no mask."""
    return lively_detector("yolov8n-seg", NAMES, samples, tmp_path_factory.mktemp("lively") / "best.pt")


def predictor_of(weights: Path, img_size: int) -> YoloPredictor:
    return YoloPredictor(read_weights(weights), torch.device("cpu"), Settings(img_size=img_size, **THRESHOLDS))


@pytest.fixture(scope="module")
def predictor(weights: Path) -> YoloPredictor:
    return predictor_of(weights, 64)


@pytest.fixture(scope="module")
def images() -> list[Pixels]:
    """Square, wide and high ones; some fill the input, others leave a border on two sides."""
    shapes = [(192, 192), (96, 192), (192, 96), (108, 192), (192, 108), (54, 96)]
    return [sample.image[:h, :w] for sample, (h, w) in zip(render(6, seed=5), shapes, strict=True)]


def stacked(images: list[Pixels], predictor: YoloPredictor) -> np.ndarray:
    """Inputs of one shape."""
    parts = [np.ascontiguousarray(image[:96, :96]) for image in images if min(image.shape[:2]) >= 96]
    return np.stack([predictor.prepare(part).pixels for part in parts])


@pytest.mark.parametrize(("model", "millions"), SEED_MODELS.items())
def test_every_model_of_the_seed_table_builds(model: str, millions: float) -> None:
    count = sum(parameter.numel() for parameter in build(model, 80).parameters()) / 1e6
    assert count == pytest.approx(millions, rel=0.01, abs=0.05)


@pytest.mark.parametrize(
    "model", ["yolov5n-seg", "yolov8n-seg", "yolov9c-seg", "yolo11n-seg", "yolo12n-seg", "yolo26n-seg"]
)
def test_every_family_predicts_masks_and_class_maps(model: str) -> None:
    predictor = YoloPredictor(build(model, 3), torch.device("cpu"), Settings(img_size=96, conf_thres=0.0))
    prepared = predictor.prepare(np.zeros((60, 90, 3), np.uint8))
    prediction = predictor.predict(np.stack([prepared.pixels]), class_maps=True)[0]
    detections, masks = prediction.detections, prediction.masks
    assert masks is not None
    assert len(detections) == len(masks) > 0
    assert detections.probabilities.shape[1] == 3
    np.testing.assert_allclose(detections.probabilities.max(axis=1), detections.scores, rtol=1e-5, atol=1e-7)
    assert masks.input_size == prepared.pixels.shape[:2]
    assert masks.prototypes.shape == (32, *(side // 4 for side in masks.input_size))
    assert masks.prototypes.dtype == masks.coefficients.dtype == np.float32
    assert [maps.shape[0] for maps in prediction.class_maps] == [3, 3, 3]


def test_all_models_of_the_choice_are_known_by_name() -> None:
    assert {"yolov5x-seg", "yolov8n-seg", "yolov8s-seg-p6", "yolov9e-seg", "yolo26x-seg"} < segmenters().keys()


def test_box_score_class_and_mask_of_a_row_are_those_of_ultralytics(weights: Path, images: list[Pixels]) -> None:
    """Its own pipeline, from pixels to masks at the image's own size.

    It first enlarges the prototypes where the border is no whole number of their cells, which blurs masks as fine as
    these. So here the border is one.
    """
    from ultralytics import YOLO

    predictor, reference = predictor_of(weights, 256), YOLO(str(weights))
    ious = []
    for image in images:
        expected = reference.predict(
            image, imgsz=256, conf=0.2, iou=0.45, retina_masks=True, device="cpu", verbose=False
        )[0]
        prepared = predictor.prepare(image)
        prediction = predictor.predict(prepared.pixels[None], class_maps=False)[0]
        found = prepared.placement.to_image(prediction.detections)
        assert len(found) == len(expected.boxes) > 3
        np.testing.assert_allclose(found.boxes, expected.boxes.xyxy, atol=0.05)
        np.testing.assert_allclose(found.scores, expected.boxes.conf, atol=1e-4)
        np.testing.assert_array_equal(found.classes, expected.boxes.cls)
        assert prediction.masks is not None
        parts = prediction.masks.in_image(found.boxes, prepared.placement.back, image.shape[:2])
        for part, theirs in zip(parts, expected.masks.data.numpy() > 0, strict=True):
            # Pixels that a box cuts count for one of the two only: compared is what lies inside.
            height, width = part.mask.shape
            inside = theirs[part.y : part.y + height, part.x : part.x + width][1:-1, 1:-1]
            ours = part.mask[1:-1, 1:-1]
            if ours.sum() > 30:
                ious.append((ours & inside).sum() / (ours | inside).sum())
    assert len(ious) > 100
    assert min(ious) >= 0.98


def test_a_prediction_does_not_depend_on_the_neighbours_in_its_batch(
    predictor: YoloPredictor, images: list[Pixels]
) -> None:
    batch = stacked(images, predictor)
    for image, together in zip(batch, predictor.predict(batch, class_maps=False), strict=True):
        assert_same(predictor.predict(image[None], class_maps=False)[0], together)


def test_an_image_without_objects_has_no_masks(weights: Path, images: list[Pixels]) -> None:
    strict = YoloPredictor(read_weights(weights), torch.device("cpu"), Settings(img_size=64, conf_thres=1.0))
    prediction = strict.predict(stacked(images, strict)[:1], class_maps=False)[0]
    assert prediction.masks is not None
    assert len(prediction.detections) == len(prediction.masks) == 0


def test_dropout_depends_on_the_seed_of_each_image_alone(predictor: YoloPredictor, images: list[Pixels]) -> None:
    batch = stacked(images, predictor)[:3]
    plain = predictor.predict(batch, class_maps=False)
    [together] = predictor.predict_dropout(batch, [[7, 2**62 + 1, 7]])
    [turned] = predictor.predict_dropout(batch[::-1].copy(), [[7, 2**62 + 1, 5]])
    [[alone]] = predictor.predict_dropout(batch[:1], [[7]])
    assert_same(alone, together[0])
    assert_same(turned[0], together[2])
    assert_same(turned[1], together[1])
    assert differ(turned[2], together[0])
    assert differ(together[0], plain[0])
    for before, after in zip(plain, predictor.predict(batch, class_maps=False), strict=True):
        assert_same(before, after)


def test_passes_with_dropout_see_mostly_the_same_objects(predictor: YoloPredictor, images: list[Pixels]) -> None:
    """Much of the features is missing: the predictions move, but do not become arbitrary."""
    batch = stacked(images, predictor)[:1]
    plain = predictor.predict(batch, class_maps=False)[0].detections
    for seed in range(5):
        found = next(predictor.predict_dropout(batch, [[seed]]))[0].detections
        assert np.median(plain.iou(found).max(axis=1)) > 0.5


def test_a_detector_is_refused_with_both_tasks(lively: Path, samples: list, tmp_path: Path) -> None:
    env = write_candidate_task(
        tmp_path / "t",
        samples[:1],
        [lively],
        NAMES,
        {},
        run_mining=False,
        run_infer=True,
        object_type=ObjectType.INSTANCE,
    )
    task = read_task(read_env(env), [ObjectType.INSTANCE])
    with pytest.raises(ModelError, match="a model for the task 'detect'; this project takes segment"):
        load_predictor(task, YoloInfer(), Rank())


def differ(first: Prediction, second: Prediction) -> bool:
    """Whether two predictions are of different features."""
    assert first.masks is not None
    assert second.masks is not None
    return float(np.abs(first.masks.prototypes - second.masks.prototypes).max()) > 0.01


def assert_same(first: Prediction, second: Prediction) -> None:
    """Up to the order in which numbers are added up."""
    assert first.masks is not None
    assert second.masks is not None
    np.testing.assert_allclose(first.detections.boxes, second.detections.boxes, atol=0.1)
    np.testing.assert_allclose(first.detections.scores, second.detections.scores, atol=1e-3)
    np.testing.assert_allclose(first.masks.coefficients, second.masks.coefficients, atol=1e-3)
    np.testing.assert_allclose(first.masks.prototypes, second.masks.prototypes, atol=1e-3)
