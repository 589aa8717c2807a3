"""Every family of detectors of mmyolo and mmdet predicts, tells probabilities and class maps, and obeys parameters."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from lively_mmlab import KINDS, SIZE, Kind, inputs, lively_model, lively_weights, pictures
from mmengine.config import Config
from torch import nn

from common.env import Task, read_env, read_task
from common.errors import ConfigError, ModelError
from common.mmlab.build import build_model
from common.mmlab.checkpoint import read_weights, write_weights
from common.mmlab.class_maps import class_maps
from common.mmlab.compat import prepare
from common.mmlab.config import load_config
from common.mmlab.configs import find_config
from common.mmlab.fitting import fitting_of, keeps_ratio
from common.mmlab.fuse import fuse
from common.mmlab.heads import class_count, dense_head
from common.mmlab.params import MmlabInfer, MmlabMining
from common.mmlab.predictor import MmlabPredictor, load_predictor
from common.mmlab.probabilities import probabilities_of
from common.mmlab.thresholds import set_thresholds
from common.predictions import Detections, Prediction
from common.worker import Rank
from workbench.platform import write_candidate_task

NAMES = ("disc", "triangle", "star")
LEAST = 0.1


class Infer(MmlabInfer):
    package = "mmyolo"


class Mining(MmlabMining):
    package = "mmdet"


@dataclass(frozen=True)
class Lively:
    """A configuration and its model."""

    config: Config
    model: nn.Module

    def predictor(self, confidence: float = LEAST, iou: float = 0.65, img_size: int = 0) -> MmlabPredictor:
        config = deepcopy(self.config)
        set_thresholds(config.model, confidence, iou)
        model = build_model(config, "mmyolo")
        model.load_state_dict(self.model.state_dict())
        fitting = fitting_of(config, model, img_size)
        return MmlabPredictor(model, torch.device("cpu"), fitting, confidence, ("name",) * class_count(model))


@pytest.fixture(scope="module")
def images(samples: list) -> np.ndarray:
    return pictures(samples, 12)


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture(scope="module")
def make(images: np.ndarray) -> Callable[..., Lively]:
    made: dict[tuple[str, int], Lively] = {}

    def build(name: str, classes: int = 3) -> Lively:
        prepare("mmyolo")
        if (name, classes) not in made:
            made[name, classes] = Lively(*lively_model(KINDS[name], classes, images))
        return made[name, classes]

    return build


@pytest.fixture(scope="module")
def lively(kind: Kind, images: np.ndarray) -> Lively:
    prepare("mmyolo")
    return Lively(*lively_model(kind, 3, images))


@pytest.fixture(scope="module")
def predictor(lively: Lively) -> MmlabPredictor:
    return lively.predictor()


@pytest.fixture(scope="module")
def predictions(predictor: MmlabPredictor, kind: Kind, images: np.ndarray) -> list[Prediction]:
    return predictor.predict(images, class_maps=kind.dense)


@pytest.fixture(scope="module")
def yolov8(images: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lively_weights(tmp_path_factory.mktemp("yolov8") / "best.pth", KINDS["mmyolo yolov8"], NAMES, images)


def joined(predictions: list[Prediction]) -> Detections:
    found = [prediction.detections for prediction in predictions]
    names = ("boxes", "scores", "classes", "probabilities")
    return Detections(*(np.concatenate([getattr(each, name) for each in found]) for name in names))


def same(first: Detections, second: Detections) -> None:
    assert len(first) == len(second)
    np.testing.assert_allclose(first.boxes, second.boxes, atol=0.01)
    np.testing.assert_allclose(first.scores, second.scores, atol=1e-4)
    np.testing.assert_array_equal(first.classes, second.classes)
    np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-4)


def a_task(
    root: Path, samples: list, files: list[Path], names: tuple[str, ...] = NAMES, *, mining: bool = False
) -> Task:
    env = write_candidate_task(root, samples[:1], files, names, {}, run_mining=mining, run_infer=True)
    return read_task(read_env(env))


def test_a_lively_model_sees_something_different_in_every_image(predictions: list[Prediction]) -> None:
    found = joined(predictions)
    assert 10 * len(predictions) < len(found) < 250 * len(predictions)
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
        with pytest.raises(ConfigError, match=r"aldd.* which \w+ has not \(one of cald, entropy, random\)"):
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


class Head:
    """Three classes and two anchors, sigmoid."""

    num_classes = 3


class SSDHead(Head):
    cls_out_channels = 4
    use_sigmoid_cls = False


class TOODHead(Head):
    pass


class YOLOV3Head(Head):
    pass


def cells(*channels: float) -> list[torch.Tensor]:
    """One scale of 1 x 2 equal cells."""
    return [torch.tensor(channels).view(1, -1, 1, 1).expand(1, len(channels), 1, 2)]


def one_cell(head: Head, *outputs: list[torch.Tensor]) -> list[float]:
    (scale,) = class_maps(head, outputs)
    assert scale.shape == (1, 3, 1, 2)
    return scale[0, :, 0, 0].tolist()


def sigmoid(*values: float) -> Any:
    return pytest.approx([1 / (1 + np.exp(-value)) for value in values])


def test_a_class_map_holds_the_largest_probability_of_the_anchors() -> None:
    assert one_cell(Head(), cells(1, 2, 3, 3, 2, 1), cells(*[9] * 8)) == sigmoid(3, 2, 3)


def test_a_class_map_is_multiplied_with_the_objectness_of_each_anchor() -> None:
    joint = one_cell(Head(), cells(1, 2, 3, 3, 2, 1), cells(*[9] * 8), cells(20, -20))
    assert joint == sigmoid(1, 2, 3)
    assert one_cell(Head(), cells(1, 2, 3, 3, 2, 1), cells(*[9] * 8), cells(*[9] * 16)) == sigmoid(3, 2, 3)


def test_the_background_of_a_softmax_head_is_left_out() -> None:
    assert one_cell(SSDHead(), cells(0, 0, 0, np.log(7)), cells(*[9] * 4)) == pytest.approx([0.1, 0.1, 0.1])


def test_a_head_that_gives_probabilities_is_taken_at_its_word() -> None:
    assert one_cell(TOODHead(), cells(0.1, 0.2, 0.3), cells(*[9] * 4)) == pytest.approx([0.1, 0.2, 0.3])


def test_yolov3_gives_everything_in_one_list() -> None:
    assert one_cell(YOLOV3Head(), cells(9, 9, 9, 9, 20, 1, 2, 3)) == sigmoid(1, 2, 3)


def results(scores: Sequence[float], labels: Sequence[int], **more: torch.Tensor) -> Any:
    from mmengine.structures import InstanceData

    return InstanceData(scores=torch.tensor(scores), labels=torch.tensor(labels), **more)


def test_a_detector_of_an_unknown_kind_tells_the_score_alone() -> None:
    assert probabilities_of(results([0.5, 0.25], [2, 0]), 3).tolist() == [[0, 0, 0.5], [0.25, 0, 0]]


def test_a_factor_of_the_score_applies_to_all_classes() -> None:
    rows = torch.tensor([[0.2, 0.4, 0.8]])
    assert probabilities_of(results([0.4], [2], probabilities=rows), 3).tolist() == [pytest.approx([0.1, 0.2, 0.4])]


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
    def count(confidence: float, iou: float) -> int:
        return len(joined(lively.predictor(confidence, iou).predict(images[:5], class_maps=False)))

    assert count(LEAST, 0.65) > count(0.4, 0.65) > count(1.0, 0.65) == 0
    if "nms" in str(lively.config.model.test_cfg):
        assert count(LEAST, 0.95) > count(LEAST, 0.2)
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
    np.testing.assert_allclose(prepared.placement.to_image(ours.boxes), theirs.bboxes.clip(0, side), atol=1)
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
    boxes = prepared.placement.to_image(found.boxes)
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
    assert len(joined(predictor.predict(images, class_maps=True))) > 0


def test_cfg_options_win_over_everything(yolov8: Path, samples: list, tmp_path: Path, images: np.ndarray) -> None:
    task = a_task(tmp_path, samples, [yolov8])

    def count(**options: Any) -> int:
        return len(joined(load_predictor(task, Infer(**options), Rank()).predict(images, class_maps=False)))

    assert count(conf_threshold=0.6) > 0
    lower = count(conf_threshold=0.6, cfg_options="model.test_cfg.score_thr=0.1")
    assert lower == count(conf_threshold=0.1) > count(conf_threshold=0.6)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("auto_scale_lr.enable=True", r"cfg_options: .*'auto_scale_lr'.* nearest: "),
        ("model.test_cfg.score_thr.x=1", r"cfg_options: "),
    ],
)
def test_cfg_options_that_do_not_fit_are_refused(
    yolov8: Path, samples: list, tmp_path: Path, options: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        load_predictor(a_task(tmp_path, samples, [yolov8]), Infer(cfg_options=options), Rank())


def test_a_detector_without_class_maps_is_refused_for_aldd_before_it_runs(
    samples: list, tmp_path: Path, images: np.ndarray
) -> None:
    weights = lively_weights(tmp_path / "best.pth", KINDS["mmdet faster r-cnn"], NAMES, images)
    task = a_task(tmp_path / "t", samples, [weights], mining=True)
    with pytest.raises(
        ConfigError, match=r"^mining_algorithm: 'aldd' needs a map of classes, which FasterRCNN has not"
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
    with pytest.raises(ModelError, match=r"best\.pth: the model of its configuration cannot be built"):
        load_predictor(a_task(tmp_path / "u", samples, [path]), Infer(), Rank())
