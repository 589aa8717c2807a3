"""seg-all-in-one-tmi detects: every image is resized to a square as it is, from the training to the device."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from npu import detect
from sober import sober_detector
from tasks import CANDIDATES, NAMES, TRAINING, Outcome
from warm import run_warm

from common.yolo.checkpoint import read_weights
from common.yolo.offline import go_offline
from common.yolo.rv1126 import DESCRIPTION, GRAPH, export_rv1126
from workbench.check import check_out
from workbench.platform import write_candidate_task, write_training_task
from workbench.sample import Sample

go_offline()

IMAGE = "seg-all-in-one-tmi"


@pytest.fixture(scope="module")
def wide(samples: list[Sample]) -> list[Sample]:
    """Images of twice their height in width, `(96, 192)` and the like; objects as they are then."""
    return [flat(sample) for sample in samples]


def flat(sample: Sample) -> Sample:
    """Half as high."""
    height, width = sample.image.shape[:2]
    image = cv2.resize(sample.image, (width, height // 2), interpolation=cv2.INTER_AREA)
    boxes = sample.boxes.copy()
    boxes[:, 1], boxes[:, 3] = boxes[:, 1] // 2, -(-boxes[:, 3] // 2)
    return replace(sample, image=image, boxes=boxes, extension="png")


@pytest.fixture(scope="module")
def detector(wide: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    env = write_training_task(
        tmp_path_factory.mktemp("detector") / "task", wide[:16], wide[16:24], NAMES, {**TRAINING, "epochs": 1}
    )
    outcome = run_warm(env, image=IMAGE)
    assert outcome.status == 0
    return outcome


def test_training_attaches_what_the_npu_needs(detector: Outcome, wide: list[Sample]) -> None:
    assert check_out(detector.out.parent / "in" / "env.yaml") == []
    assert detector.result["attachments"] == {"rv1126": [GRAPH, DESCRIPTION]}
    assert detector.result["model_stages"]["best"]["files"] == ["best.pt", "best.onnx"]
    folder = detector.out / "models" / "attachments" / "rv1126"
    text = yaml.safe_load((folder / DESCRIPTION).read_text(encoding="utf-8"))
    assert (text["input"]["resize"], text["input"]["shape"]) == ("stretch", [1, 3, 64, 64])
    assert text["classes"] == list(NAMES)
    detect(folder, wide[0].image)


def test_from_scratch_the_activation_is_silu(detector: Outcome) -> None:
    kinds = {type(module).__name__ for module in read_weights(detector.best).modules()}
    assert "SiLU" in kinds
    assert "Hardswish" not in kinds


@pytest.fixture
def data(wide: list[Sample], tmp_path: Path) -> Path:
    """The first two images as ultralytics reads them."""
    lines = {"images": tmp_path / "images", "labels": tmp_path / "labels"}
    for folder in lines.values():
        folder.mkdir()
    for number, sample in enumerate(wide[:2]):
        cv2.imwrite(str(lines["images"] / f"{number}.png"), sample.image)
        low, high = (sample.boxes / np.tile(sample.image.shape[1::-1], 2)).reshape(-1, 2, 2).swapaxes(0, 1)
        rows = np.column_stack([sample.classes, (low + high) / 2, high - low])
        np.savetxt(lines["labels"] / f"{number}.txt", rows, fmt="%.8g")
    path = tmp_path / "data.yaml"
    content = {"path": str(tmp_path), "train": "images", "val": "images", "names": list(NAMES)}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


UNCHANGED = {"mosaic": 0, "translate": 0, "scale": 0, "fliplr": 0, "hsv_h": 0, "hsv_s": 0, "hsv_v": 0}


@pytest.mark.parametrize("mode", ["train", "val"])
def test_targets_are_those_of_the_resized_image(mode: str, data: Path, wide: list[Sample], tmp_path: Path) -> None:
    from ultralytics.utils import DEFAULT_CFG, ops

    from common.yolo.trainer import trainer_for

    options = {"data": str(data), "imgsz": 64, "project": str(tmp_path), "device": "cpu", "model": "yolov8n.yaml"}
    trainer = trainer_for("detect", "Detect")(DEFAULT_CFG, {**options, **UNCHANGED})
    trainer.plain_resize = True
    trainer.args.augmentations = []  # None means blur and other things now and then
    dataset = trainer.build_dataset(str(data.parent / "images"), mode, 2)
    for item, sample in zip((dataset[0], dataset[1]), wide, strict=False):
        expected = cv2.resize(sample.image, (64, 64), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_array_equal(item["img"].numpy(), expected[:, :, ::-1].transpose(2, 0, 1))
        targets = ops.xywh2xyxy(item["bboxes"]).numpy()
        size = np.tile(sample.image.shape[1::-1], 2)
        np.testing.assert_allclose(targets * size, sample.boxes, atol=1e-3)
        if mode == "val":
            on_image = ops.scale_boxes((64, 64), targets * 64, item["ori_shape"], item["ratio_pad"])
            np.testing.assert_allclose(on_image, sample.boxes, atol=1e-3)


@pytest.fixture(scope="module")
def candidates(wide: list[Sample], samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Inference and mining at once, with weights that give varied detections."""
    root = tmp_path_factory.mktemp("candidates")
    model = sober_detector("yolov5n", NAMES, samples, root / "best.pt")
    parameters = {**CANDIDATES, "conf_thres": 0.25, "iou_thres": 0.45, "mining_algorithm": "aldd"}
    env = write_candidate_task(root / "task", wide[24:32], [model], NAMES, parameters, run_mining=True, run_infer=True)
    outcome = run_warm(env, image=IMAGE)
    assert outcome.status == 0
    return outcome


def test_inference_finds_what_the_npu_finds(
    candidates: Outcome, wide: list[Sample], samples: list[Sample], tmp_path: Path
) -> None:
    weights = sober_detector("yolov5n", NAMES, samples, tmp_path / "best.pt")
    assert len(export_rv1126(weights, tmp_path, 64, plain_resize=True)) == 2
    for sample in wide[24:32]:
        found = detect(tmp_path, sample.image)
        corners = found.boxes.clip(0, np.tile(sample.image.shape[1::-1], 2))
        objects = candidates.objects[sample.base_name]
        assert len(objects) == len(found.boxes) > 3
        for item in objects:
            box = item["box"]
            if min(box["w"], box["h"]) <= 1:
                continue  # what is left of it at a side of the image: one pixel, moved into the image
            same = np.abs(corners - [box["x"], box["y"], box["x"] + box["w"], box["y"] + box["h"]]).max(1) <= 1.01
            same &= np.array(NAMES)[found.classes] == item["class_name"]
            assert np.abs(found.scores[same] - item["score"]).min() < 1e-3


def test_mining_ranks_every_image(candidates: Outcome, wide: list[Sample]) -> None:
    assert check_out(candidates.out.parent / "in" / "env.yaml") == []
    assert {name for name, _ in candidates.ranking} == {sample.base_name for sample in wide[24:32]}
    assert len({score for _, score in candidates.ranking}) == 8
