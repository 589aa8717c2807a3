"""What is special about detectors of rotated boxes: how boxes are written, their suppression, and tiles."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lively_mmlab import KINDS, Lively, inputs, lively_model, pictures
from tasks import MMROTATE, NAMES, Outcome
from warm import run_warm

from common.boxes import rotated
from common.boxes.convention import Convention
from common.contract import AngleUnit
from common.loop.tiling import TiledPredictor
from common.mmlab.load import load_predictor
from common.mmlab.model.checkpoint import write_weights
from common.mmlab.model.rotated_nms import suppress
from common.mmlab.options.rotated import RotatedInfer, RotatedMining
from common.mmlab.rotated_boxes import rotated_boxes
from common.predictions import Prediction, RotatedDetections
from common.run.rank import Rank
from common.task.env import read_env, read_task
from tests.geometry import rotated as detections_of
from workbench.check import check_out
from workbench.platform import write_candidate_task

KIND = KINDS["mmrotate rtmdet"]
LEARNED = Convention(AngleUnit.PI, start=0.0, long_side=True)


class Infer(RotatedInfer):
    package = "mmrotate"


class Mining(RotatedMining):
    package = "mmrotate"


@pytest.fixture(scope="module")
def images(samples: list) -> np.ndarray:
    return pictures(samples, 12)


@pytest.fixture(scope="module")
def lively(images: np.ndarray) -> Lively:
    return lively_model(KIND, 3, images)


@pytest.fixture(scope="module")
def weights(lively: Lively, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a training on a data set with angles in half turns publishes them."""
    path = tmp_path_factory.mktemp("rotated") / "best.pth"
    lively.config.rotate_angle = LEARNED.as_dict()
    write_weights(path, lively.model.state_dict(), config=lively.config, class_names=NAMES, model="")
    return path


@pytest.fixture
def load(weights: Path, samples: list, tmp_path: Path) -> Callable[..., object]:
    env = write_candidate_task(tmp_path, samples[:1], [weights], NAMES, {}, run_mining=False, run_infer=True)
    return lambda **options: load_predictor(read_task(read_env(env)), Infer(conf_threshold=0.1, **options), Rank(0, 1))


def predict(predictor: object, images: np.ndarray) -> list[RotatedDetections]:
    predictions: list[Prediction] = predictor.predict(images, class_maps=False)
    return [prediction.detections for prediction in predictions]


def test_detections_are_those_of_the_framework(images: np.ndarray) -> None:
    """Angles too. Of one class: the framework tells several of a place."""
    lively = lively_model(KIND, 1, images)
    data = lively.model.data_preprocessor(inputs(images), False)
    with torch.no_grad():
        expected = lively.model.predict(data["inputs"], data["data_samples"], rescale=False)
    for ours, theirs in zip(predict(lively.predictor(confidence=0.1), images), expected, strict=True):
        kept = theirs.pred_instances[theirs.pred_instances.scores > 0.1]
        assert len(ours) == len(kept) > 0
        np.testing.assert_allclose(ours.scores, kept.scores, atol=1e-3)
        np.testing.assert_allclose(ours.boxes, kept.bboxes, atol=0.05)
        assert (np.abs(ours.boxes[:, 4]) > 0.05).any()


def test_results_are_written_as_the_data_set_that_was_learned(load: Callable, images: np.ndarray) -> None:
    assert {each.convention for each in predict(load(), images)} == {LEARNED}
    [given, *_] = predict(load(angle_unit="radian"), images)
    assert given.convention == Convention(AngleUnit.RADIAN, start=0.0, long_side=True)


def test_the_threshold_and_the_limit_are_the_models_own_unless_one_is_given(load: Callable, images: np.ndarray) -> None:
    own, same, loose = (
        sum(map(len, predict(load(**option), images)))
        for option in ({}, {"iou_threshold": 0.1}, {"iou_threshold": 0.8})
    )
    assert own == same < loose


def test_more_than_300_boxes_are_told(load: Callable) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 320, 320, 3), np.uint8)
    [found] = predict(load(iou_threshold=1.0), noise)
    assert len(found) > 300


def test_corners_become_the_rectangle_around_them() -> None:
    box = torch.tensor([[50.0, 40, 30, 10, 0.4]])
    corners = torch.from_numpy(rotated.corners(box.numpy()).reshape(1, 8)).float()
    for given in (box, corners):
        assert rotated.iou(rotated_boxes(given).numpy(), box.numpy())[0, 0] == pytest.approx(1, abs=1e-3)
    assert rotated_boxes(torch.zeros(0, 8)).shape == (0, 5)


def test_of_overlapping_boxes_of_a_class_the_surest_stays() -> None:
    boxes = [[50, 50, 60, 8, 0.3], [51, 50, 60, 8, 0.35], [50, 50, 60, 8, 0.3 + math.pi / 2], [150, 50, 60, 8, 0.3]]
    found = detections_of(boxes)
    assert suppress(found, 0.2).boxes.tolist() == found.boxes[[0, 2, 3]].tolist()
    other = RotatedDetections(found.boxes, found.scores, np.array([0, 1, 0, 0]), found.probabilities)
    assert len(suppress(other, 0.2)) == 4
    assert len(suppress(RotatedDetections.empty(1), 0.2)) == 0


def test_a_single_tile_sees_what_the_model_sees(load: Callable, images: np.ndarray) -> None:
    whole, tiles = load(), load(tile_size=64, tile_overlap=16)
    assert isinstance(tiles, TiledPredictor)
    for one, other in zip(predict(whole, images), predict(tiles, images), strict=True):
        np.testing.assert_allclose(one.boxes, other.boxes, atol=0.01)


def test_tiles_find_what_each_shows(load: Callable, images: np.ndarray) -> None:
    """Four pictures side by side, cut along their borders, are four pictures."""
    together = np.hstack([np.vstack(images[:2]), np.vstack(images[2:4])])
    predictor = load(tile_size=64, tile_overlap=0, iou_threshold=0.5)
    prepared = predictor.prepare(together)
    assert prepared.pixels.shape == (128, 128, 3)
    [found] = predict(predictor, prepared.pixels[None])
    alone = predict(load(iou_threshold=0.5), images[:4])
    assert len(found) > 0.7 * sum(map(len, alone))  # some boxes reach into neighbours, and are suppressed
    assert {*found.scores.tolist()} <= {score for each in alone for score in each.scores.tolist()}


@pytest.mark.parametrize("algorithm", ["aldd", "cald"])
def test_a_task_with_tiles_mines_and_infers(weights: Path, samples: list, tmp_path: Path, algorithm: str) -> None:
    options = {"tile_size": 96, "tile_overlap": 32, "img_size": 64, "mining_algorithm": algorithm, "workers_per_gpu": 1}
    pool = samples[40:46]
    env = write_candidate_task(tmp_path, pool, [weights], NAMES, options, run_mining=True, run_infer=True)
    outcome: Outcome = run_warm(env, image=MMROTATE)
    assert outcome.status == 0
    assert check_out(env, rotated=True) == []
    assert len({score for _, score in outcome.ranking}) == len(pool)
    angles = [item["box"]["rotate_angle"] for objects in outcome.objects.values() for item in objects]
    assert len(angles) > len(pool)
    assert 0 <= min(angles) < max(angles) < 1, "half turns, from 0 on, as was learned"


def test_parameters_for_tiles_reach_the_loop() -> None:
    tiles = Mining(mining_algorithm="cald", tile_size=1024).options()
    assert (tiles.batch_size, tiles.algorithm) == (1, "cald")
    assert Infer(samples_per_gpu=3).options().batch_size == 3
