"""What the training of a detector of rotated boxes reads, and how it is measured."""

import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from mmlab_tables import ROTATED
from tasks import MMROTATE, prepared

from common.boxes.convention import Convention
from common.boxes.rotated import corners, iou
from common.contract import AngleUnit, Verb
from common.errors import ConfigError
from common.mmlab.fit.data import Data, write_data
from common.mmlab.fit.nested import mappings
from common.mmlab.fit.recipe import Run, published, training_recipe
from common.mmlab.metric import RotatedBoxMetric
from common.mmlab.patches.compat import prepare, quiet
from common.task.env import Task
from workbench import ships
from workbench.images import REPOSITORY, image
from workbench.platform import write_training_task

prepare("mmrotate")

pytestmark = pytest.mark.filterwarnings("ignore:The `clip` function does nothing:UserWarning")

RTMDET = "rotated_rtmdet/rotated_rtmdet_tiny-3x-dota.py"
REPPOINTS = "rotated_reppoints/rotated-reppoints-qbox_r50_fpn_1x_dota.py"


@pytest.fixture(scope="module")
def sea() -> list:
    return ships.render(8, seed=3)


@pytest.fixture(scope="module")
def task(sea: list, tmp_path_factory: pytest.TempPathFactory) -> Task:
    env = write_training_task(
        tmp_path_factory.mktemp("t"), sea[:6], sea[6:], ships.CLASS_NAMES, {"export_format": "ark:raw"}
    )
    return prepared(env)


@pytest.fixture(scope="module")
def data(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = Data(tmp_path_factory.mktemp("data"))
    write_data(task, folder, AngleUnit.RADIAN)
    return folder


def recipe(task: Task, data: Data, key: str, *, gpu: bool = False, **raw: Any) -> Config:
    with image(REPOSITORY / MMROTATE):
        from params import PARAMETERS

        form = {"img_size": 256, "samples_per_gpu": 2, "workers_per_gpu": 0, **raw}
        parameters = PARAMETERS[Verb.TRAINING].parse(form, Verb.TRAINING)
        run = Run(Path("/run"), key, task.class_names, scratch=True, world=1, gpu=gpu)
        return training_recipe(parameters, data, run)


def dataset(config: Config, split: str) -> Any:
    with quiet(), DefaultScope.overwrite_default_scope(config.default_scope):
        return DATASETS.build(config[f"{split}_dataloader"].dataset)


def overlap(found: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """IoU of each box with the one at the same place."""
    return np.diag(iou(found.astype(np.float64), boxes))


def loaded(sample: Any) -> np.ndarray:
    return sample["data_samples"].gt_instances.bboxes.convert_to("rbox").tensor.numpy()


@pytest.mark.parametrize("key", [RTMDET, REPPOINTS, *ROTATED.values()])
def test_every_pipeline_loads_the_boxes_of_the_document(task: Task, data: Data, key: str) -> None:
    """Those of the training move them at random, but lose none that it can see."""
    config = recipe(task, data, key, gpu=True)
    validation = dataset(config, "val")
    boxes = data.rotated_boxes("val")
    found = np.concatenate([loaded(validation[i]) for i in range(len(validation))])
    assert overlap(found, boxes) == pytest.approx(1, abs=1e-3)
    training = dataset(config, "train")
    assert len(training) == 6
    assert sum(len(loaded(training[i])) for i in range(6)) > 0


def test_boxes_are_loaded_as_corners_with_their_classes(task: Task, data: Data, sea: list) -> None:
    reader = dataset(recipe(task, data, RTMDET), "train")
    for info, sample in zip(map(reader.get_data_info, range(6)), sea[:6], strict=True):
        assert [instance["bbox_label"] for instance in info["instances"]] == sample.classes.tolist()
    first = data.rotated_boxes("train")[: len(sea[0].classes)]
    points = np.array([instance["bbox"] for instance in reader.get_data_info(0)["instances"]])
    assert points == pytest.approx(corners(first).reshape(-1, 8))


def test_boxes_thinner_than_a_pixel_are_left_out(task: Task, sea: list, tmp_path: Path) -> None:
    """COCO files may have them."""
    annotations = json.loads(bare_document([0, 0, 0.9, 40, 0.3], [50, 50, 1, 40, 0.3]))
    thin = Data(tmp_path)
    for split in ("train", "val"):
        thin.document(split).write_text(json.dumps(annotations), encoding="utf-8")
    config = recipe(task, thin, RTMDET)
    with quiet():
        instances = dataset(config, "train").get_data_info(0)["instances"]
    assert len(instances) == 1


@pytest.mark.parametrize("key", [RTMDET, *ROTATED.values()])
def test_no_class_of_dota_and_no_mask_is_left_in_a_pipeline(task: Task, data: Data, key: str) -> None:
    config = recipe(task, data, key)
    for mapping in mappings(config.to_dict()):
        assert {"rect_obj_labels", "with_mask", "poly2mask"}.isdisjoint(mapping)
        assert mapping.get("type") != "ConvertMask2BoxType"


def test_the_convention_of_the_training_set_is_published(task: Task, data: Data) -> None:
    config = published(recipe(task, data, RTMDET, angle_unit="pi"))
    found = Convention.from_dict(Config.fromstring(config.pretty_text, ".py").rotate_angle)
    assert found == Convention.of(data.rotated_boxes("train"), AngleUnit.PI)
    assert found.long_side


def test_pictures_and_boxes_are_flipped_turned_and_scaled_alike(task: Task, tmp_path: Path) -> None:
    """Boxes that are white on black are where the pipeline says they are."""
    data = white_boxes(tmp_path)
    training = dataset(recipe(task, data, RTMDET), "train")
    angles = set()
    for _ in range(8):
        sample = training[0]
        picture = sample["inputs"].numpy().max(axis=0) > 200
        drawn = np.zeros(picture.shape, np.uint8)
        boxes = loaded(sample)
        cv2.fillPoly(drawn, np.rint(corners(boxes)).astype(np.int32), 1)
        if len(boxes) == 2:  # no centre is outside
            assert (picture & (drawn > 0)).sum() > 0.85 * (picture | (drawn > 0)).sum()
            angles |= set(np.rint(np.degrees(boxes[:, 4])).astype(int) % 90)
    assert len(angles) > 2


def white_boxes(folder: Path) -> Data:
    """A picture of two boxes, both for training and for validation."""
    boxes = np.array([[70.0, 50, 60, 20, 0.5], [60, 100, 40, 30, -0.3]])
    canvas = np.zeros((140, 140, 3), np.uint8)
    cv2.fillPoly(canvas, np.rint(corners(boxes)).astype(np.int32), (255, 255, 255))
    cv2.imwrite(str(folder / "boxes.png"), canvas)
    text = bare_document(*boxes.tolist(), file=str(folder / "boxes.png"), side=140)
    data = Data(folder)
    for split in ("train", "val"):
        data.document(split).write_text(text, encoding="utf-8")
    return data


def bare_document(*boxes: list[float], file: str = "a", side: int = 100) -> str:
    """A COCO document of two images, with rotated boxes in the first."""
    images = [{"id": i, "file_name": file, "width": side, "height": side} for i in (1, 2)]
    rest = {"image_id": 1, "category_id": 0, "bbox": [0, 0, 9, 9], "iscrowd": 0}
    annotations = [rest | {"id": i, "area": box[2] * box[3], "obb": box} for i, box in enumerate(boxes, 1)]
    categories = [{"id": i, "name": name} for i, name in enumerate(ships.CLASS_NAMES)]
    return json.dumps({"images": images, "annotations": annotations, "categories": categories})


# the metric


def metric(data: Data, boxes: Any, scores: Any = None) -> dict[str, float]:
    """Of a validation in which these are found in the first image, and nothing in the others."""
    count = len(boxes)
    found = {
        "bboxes": boxes,
        "scores": torch.ones(count) if scores is None else scores,
        "labels": torch.zeros(count, dtype=torch.long),
    }
    nothing = {"bboxes": torch.zeros(0, 5), "scores": torch.zeros(0), "labels": torch.zeros(0, dtype=torch.long)}
    measure = RotatedBoxMetric(str(data.document("val")))
    measure.process(None, [{"img_id": 1, "pred_instances": found}, {"img_id": 2, "pred_instances": nothing}])
    return measure.compute_metrics(measure.results)


@pytest.fixture
def one_ship(tmp_path: Path) -> Data:
    data = Data(tmp_path)
    data.document("val").write_text(bare_document([50.0, 40.0, 60.0, 20.0, 0.5]), encoding="utf-8")
    return data


def test_predictions_of_every_form_are_measured(one_ship: Data) -> None:
    from mmrotate.structures.bbox import QuadriBoxes, RotatedBoxes

    box = torch.tensor([[50, 40, 20, 60, 0.5 - math.pi / 2]])
    for found in (box, RotatedBoxes(box), RotatedBoxes(box).convert_to("qbox"), QuadriBoxes(corners_of(box)).tensor):
        assert metric(one_ship, found) == pytest.approx({"mAP": 1, "mAP75": 1, "mAP50_95": 1})


def corners_of(boxes: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(corners(boxes.numpy()).reshape(-1, 8)).float()


def test_a_validation_that_finds_nothing_gives_zero(one_ship: Data) -> None:
    assert metric(one_ship, torch.zeros(0, 5)) == {"mAP": 0, "mAP75": 0, "mAP50_95": 0}


def test_the_detector_of_a_set_of_points_needs_a_gpu(task: Task, data: Data) -> None:
    with pytest.raises(ConfigError, match="RotatedRepPointsHead runs on a GPU only"):
        recipe(task, data, REPPOINTS)
