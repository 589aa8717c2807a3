"""Every family of detectors predicts as its framework does, and tells probabilities and class maps."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from lively_mmlab import KINDS, SIZE, Kind, Lively, inputs, lively_model, pictures
from torch import nn

from common.mmlab.model.build import build_model
from common.mmlab.model.fuse import fuse
from common.mmlab.model.heads import dense_head
from common.mmlab.model.predictor import MmlabPredictor
from common.mmlab.model.thresholds import set_thresholds
from common.predictions import Detections, Prediction

LEAST = 0.1

pytestmark = pytest.mark.filterwarnings("ignore:DeprecationWarning. `num_anchors`")  # pytest forgets `prepare`'s


@pytest.fixture(scope="module")
def images(samples: list) -> np.ndarray:
    return pictures(samples, 12)


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture(scope="module")
def make(images: np.ndarray) -> Callable[..., Lively]:
    return lambda name, classes=3: lively_model(KINDS[name], classes, images)


@pytest.fixture(scope="module")
def lively(kind: Kind, images: np.ndarray) -> Lively:
    return lively_model(kind, 3, images)


@pytest.fixture(scope="module")
def predictor(lively: Lively) -> MmlabPredictor:
    return lively.predictor()


@pytest.fixture(scope="module")
def predictions(predictor: MmlabPredictor, kind: Kind, images: np.ndarray) -> list[Prediction]:
    return predictor.predict(images, class_maps=kind.dense)


def joined(predictions: list[Prediction]) -> Detections:
    found = [prediction.detections for prediction in predictions]
    names = ("boxes", "scores", "classes", "probabilities")
    return type(found[0])(*(np.concatenate([getattr(each, name) for each in found]) for name in names))


def same(first: Detections, second: Detections) -> None:
    assert len(first) == len(second)
    np.testing.assert_allclose(first.boxes, second.boxes, atol=0.01)
    np.testing.assert_allclose(first.scores, second.scores, atol=1e-4)
    np.testing.assert_array_equal(first.classes, second.classes)
    np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-4)


def test_a_lively_model_sees_something_different_in_every_image(predictions: list[Prediction]) -> None:
    found = joined(predictions)
    assert 5 * len(predictions) < len(found) < 250 * len(predictions)
    assert set(found.classes) == {0, 1, 2}
    assert found.scores.std() > 0.03
    assert len({prediction.detections.scores.sum() for prediction in predictions}) == len(predictions)


def test_the_probability_of_the_own_class_is_the_score_and_the_largest(predictions: list[Prediction]) -> None:
    found = joined(predictions)
    own = found.probabilities[np.arange(len(found)), found.classes]
    np.testing.assert_allclose(own, found.scores, atol=1e-5)
    np.testing.assert_allclose(found.probabilities.max(axis=1), found.scores, atol=1e-5)
    assert found.probabilities.min() >= 0
    assert (found.probabilities > 0).all(), "the other classes are known too"


def test_detections_are_sorted_and_above_the_threshold(predictions: list[Prediction]) -> None:
    for prediction in predictions:
        found = prediction.detections
        assert (np.diff(found.scores) <= 0).all()
        assert (found.scores > LEAST).all()


def test_a_prediction_does_not_depend_on_the_neighbours_in_its_batch(
    predictor: MmlabPredictor, predictions: list[Prediction], images: np.ndarray
) -> None:
    for image, together in list(zip(images, predictions, strict=True))[:3]:
        alone = predictor.predict(image[None], class_maps=False)[0]
        same(alone.detections, together.detections)
        assert alone.class_maps == ()


def test_class_maps_have_a_probability_for_every_cell_of_every_scale(
    kind: Kind, predictor: MmlabPredictor, predictions: list[Prediction], images: np.ndarray
) -> None:
    if not kind.dense:
        with pytest.raises(ValueError, match=r"\w+ provides no class maps"):
            predictor.predict(images[:1], class_maps=True)
        return
    wide = predictor.predict(np.ascontiguousarray(images[:1, :, :32]), class_maps=True)[0].class_maps
    for prediction in predictions:
        maps = prediction.class_maps
        assert [cells.shape for cells in maps[:3]] == [(3, 8, 8), (3, 4, 4), (3, 2, 2)]
        assert all(cells.dtype == np.float32 and cells.min() >= 0 and cells.max() <= 1 for cells in maps)
    assert [cells.shape for cells in wide[:3]] == [(3, 8, 4), (3, 4, 2), (3, 2, 1)]


def test_the_best_detection_has_the_largest_probability_of_the_maps(kind: Kind, predictions: list[Prediction]) -> None:
    if kind.dense:
        for prediction in predictions:
            largest = max(cells.max() for cells in prediction.class_maps)
            assert prediction.detections.scores[0] <= largest + 1e-5
        tops = [prediction.detections.scores[0] for prediction in predictions]
        largest = [max(cells.max() for cells in prediction.class_maps) for prediction in predictions]
        assert np.isclose(tops, largest, atol=1e-5).mean() >= 0.5, "boxes of no size are dropped"


def test_half_precision_changes_little(make: Callable[..., Lively], images: np.ndarray) -> None:
    """What a GPU does, on a CPU: the head's outputs are single again."""
    predictor = make("mmyolo yolov8").predictor()
    single = [prediction.detections for prediction in predictor.predict(images, class_maps=True)]
    predictor._half = True
    half = predictor.predict(images, class_maps=True)
    for one, other in zip(single, half, strict=True):
        assert other.class_maps[0].dtype == np.float32
        np.testing.assert_allclose(one.scores[0], other.detections.scores[0], atol=0.02)
        assert other.detections.scores[0] not in other.detections.scores.astype(np.float16)


def test_merging_layers_changes_no_output(lively: Lively, images: np.ndarray) -> None:
    """In double precision: random weights blow small differences up."""
    plain, merged = deepcopy(lively.model).eval().double(), deepcopy(lively.model).eval().double()
    fuse(merged)
    normalised = [sum(isinstance(each, nn.BatchNorm2d) for each in model.modules()) for model in (plain, merged)]
    assert normalised[1] < normalised[0] / 4
    pixels = plain.data_preprocessor(inputs(images), False)["inputs"].double()
    with torch.inference_mode():
        for before, after in zip(outputs(plain, pixels), outputs(merged, pixels), strict=True):
            torch.testing.assert_close(before, after, rtol=1e-6, atol=1e-6 * float(before.abs().max()))


def outputs(model: nn.Module, pixels: torch.Tensor) -> list[torch.Tensor]:
    features = model.extract_feat(pixels)
    head = dense_head(model)
    return list(features) + [scale for kind in (head(features) if head is not None else ()) for scale in kind]


def test_thresholds_filter_detections(lively: Lively, images: np.ndarray) -> None:
    def count(confidence: float, iou: float | None = None) -> int:
        return len(joined(lively.predictor(confidence, iou).predict(images[:5], class_maps=False)))

    assert count(LEAST) > count(0.4) > count(1.0) == 0
    if "nms" in str(lively.config.model.test_cfg):
        assert any(count(confidence, 0.95) > count(confidence, 0.2) for confidence in (LEAST, 0.4))
    else:
        assert count(LEAST, 0.95) == count(LEAST, 0.2)


def test_there_are_at_most_300_detections_even_without_a_threshold(make: Callable[..., Lively]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), np.uint8)
    for name in ("mmyolo yolox", "mmdet yolox", "mmyolo yolov5"):
        predictor = make(name).predictor(confidence=0.0, iou=1.0)
        assert len(predictor.predict(noise, class_maps=False)[0].detections) == 300


@pytest.mark.parametrize(
    "name", ["mmyolo yolov5", "mmyolo yolov8", "mmyolo rtmdet", "mmdet yolox", "mmdet faster r-cnn"]
)
def test_a_model_of_one_class_predicts(name: str, make: Callable[..., Lively], images: np.ndarray) -> None:
    found = joined(make(name, 1).predictor().predict(images, class_maps=False))
    assert len(found) > 0
    np.testing.assert_allclose(found.probabilities, found.scores[:, None], atol=1e-5)


def test_an_image_without_detections_has_empty_arrays(make: Callable[..., Lively], images: np.ndarray) -> None:
    for name in ("mmyolo yolov5", "mmdet faster r-cnn"):
        found = make(name).predictor(confidence=1.0).predict(images[:1], class_maps=False)[0].detections
        assert found.probabilities.shape == (0, 3)


def test_other_models_in_the_process_are_not_touched(make: Callable[..., Lively], images: np.ndarray) -> None:
    lively = make("mmyolo yolov8")
    lively.predictor().predict(images[:1], class_maps=True)
    data = lively.model.data_preprocessor(inputs(images[:1]), False)
    with torch.no_grad():
        results = lively.model.predict(data["inputs"], data["data_samples"], rescale=False)[0].pred_instances
    assert "probabilities" not in results
    places = results.bboxes[:, None].eq(results.bboxes).all(dim=2).sum(dim=1)
    assert places.max() > 1, "several classes at one place"


@pytest.mark.parametrize("name", ["mmyolo yolov8", "mmyolo yolov5", "mmdet yolox"])
@pytest.mark.parametrize("side", [SIZE, 48])
def test_predictions_equal_those_of_the_framework(
    name: str, side: int, make: Callable[..., Lively], samples: list, tmp_path: Path
) -> None:
    """Its own test pipeline and `test_step`, on a file."""
    lively = make(name)
    image = cv2.resize(pictures(samples, 1)[0], (side, side))
    cv2.imwrite(str(tmp_path / "a.png"), image)
    theirs = framework(lively, tmp_path / "a.png", LEAST)
    predictor = lively.predictor()
    prepared = predictor.prepare(image)
    ours = predictor.predict(prepared.pixels[None], class_maps=False)[0].detections
    assert len(ours) == len(theirs.scores) > 10
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-3)
    np.testing.assert_allclose(prepared.placement.to_image(ours).boxes, theirs.bboxes.clip(0, side), atol=1)
    np.testing.assert_array_equal(ours.classes, theirs.labels)


def framework(lively: Lively, path: Path, confidence: float) -> Any:
    from mmengine.dataset import Compose, pseudo_collate
    from mmengine.registry import DefaultScope

    config = deepcopy(lively.config)
    set_thresholds(config.model, confidence, 0.65)
    if "multi_label" in config.model.test_cfg:
        config.model.test_cfg.multi_label = False
    model = build_model(config, "mmyolo").eval()
    model.load_state_dict(lively.model.state_dict())
    steps = [step for step in config.val_dataloader.dataset.pipeline if "Annotations" not in step.type]
    with DefaultScope.overwrite_default_scope(config.default_scope), torch.no_grad():
        data = pseudo_collate([Compose(steps)({"img_path": str(path), "img_id": 0})])
        return model.test_step(data)[0].pred_instances.numpy()
