"""What ultralytics measures on a quarter of the resolution is what COCO's rules give at the images' own sizes."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from coco_masks import mask_document, mask_metrics
from tasks import NAMES, prepared

from common.contract import ObjectType
from common.datasets.mask_dataset import MaskDataset
from common.datasets.stored import read_splits
from common.images.letterbox import Placement
from common.masks.prototypes import Prototypes
from common.masks.rle import boxes as boxes_of
from common.masks.rle import encode_part
from common.predictions import Floats
from common.task.env import Task
from common.yolo.data import write_data
from common.yolo.metrics import metrics_of
from common.yolo.offline import go_offline
from workbench.masked import render_masked, write_mask_annotations
from workbench.platform import write_training_task

SIZE = 256
MOST = 32
"""Prototypes of a model; here each is the mask of one object."""


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    root = tmp_path_factory.mktemp("metrics") / "task"
    masked = render_masked(33, seed=3)
    env = write_training_task(
        root,
        [masked[0].sample],
        [item.sample for item in masked[1:]],
        NAMES,
        {"export_format": "seg-coco:raw"},
        object_type=ObjectType.INSTANCE,
    )
    write_mask_annotations(root, masked[:1], masked[1:], NAMES)
    return prepared(env)


@dataclass(frozen=True)
class Guess:
    """What a model might say of an image: every other object a bit off, some of them of another class.

    Attributes:
        cells: `(n, 4 + K)` cx, cy, w, h in pixels of the input and probabilities.
        masks: of the n objects.
        place: where the image lies in the input.
    """

    cells: Floats
    masks: Prototypes
    place: Placement

    def raw(self) -> Any:
        """As the head of a model gives it; cells without an object keep NMS from taking it for a finished result."""
        rows = np.hstack([self.cells, self.masks.coefficients])
        padded = np.vstack([rows, np.zeros((16, rows.shape[1]), np.float32)])
        return (torch.from_numpy(padded.T[None]), torch.from_numpy(self.masks.prototypes[None])), None

    def boxes(self) -> Floats:
        """Corners `(n, 4)` in pixels of the image."""
        centres, sides, place = self.cells[:, :2], self.cells[:, 2:4], self.place
        corners = np.hstack([centres - sides / 2, centres + sides / 2]) - np.tile([place.offset_x, place.offset_y], 2)
        inside = np.clip(corners / np.tile([place.scale_x, place.scale_y], 2), 0, np.tile(place.size[::-1], 2))
        return inside.astype(np.float32)


def guess(dataset: MaskDataset, i: int, place: Placement, size: tuple[int, int], rng: np.random.Generator) -> Guess:
    grid = (size[0] // 4, size[1] // 4)
    scale, offset = np.array([place.scale_x, place.scale_y]), np.array([place.offset_x, place.offset_y])
    cells, logits = [], np.full((MOST, *grid), -1, np.float32)
    for k, (row, mask) in enumerate(dataset.decoded(i)):
        shift = rng.normal(0, 4, 2) * rng.integers(0, 2)
        # Pixels of the image to cells of the prototypes, for OpenCV, whose (0, 0) is the centre of the first pixel.
        moved = (offset + shift + scale / 2) / 4 - 0.5
        matrix = np.hstack([np.diag(scale) / 4, moved[:, None]])
        soft = cv2.GaussianBlur(mask.astype(np.float32), (5, 5), 0)
        logits[k] = cv2.warpAffine(soft, matrix, grid[::-1]) - 0.5
        corners = boxes_of(dataset.masks[row : row + 1], [dataset.size(i)])[0].reshape(2, 2) * scale + offset + shift
        scores = rng.uniform(0, 0.3, len(NAMES))
        scores[(dataset.classes[row] + (rng.random() < 0.1)) % len(NAMES)] = rng.uniform(0.4, 1)
        cells.append([*corners.mean(axis=0), *(corners[1] - corners[0]), *scores])
    masks = Prototypes(np.eye(MOST, dtype=np.float32)[: len(cells)], logits, size)
    return Guess(np.array(cells, np.float32).reshape(-1, 4 + len(NAMES)), masks, place)


def of_ultralytics(task: Task, folder: Path, dataset: MaskDataset) -> tuple[dict[str, float], list[Guess]]:
    """Its validation, as a training runs it, and the guesses that it judged, in the order of the images."""
    go_offline()
    from ultralytics.cfg import get_cfg
    from ultralytics.data import build_dataloader, build_yolo_dataset
    from ultralytics.data.utils import check_det_dataset
    from ultralytics.models.yolo.segment import SegmentationValidator

    arguments = get_cfg(
        overrides={"task": "segment", "imgsz": SIZE, "overlap_mask": False, "plots": False, "conf": 0.001, "iou": 0.7}
    )
    data = check_det_dataset(str(write_data(task, folder)))
    images = build_yolo_dataset(arguments, data["val"], 1, data, mode="val", rect=True, stride=32)
    validator = SegmentationValidator(build_dataloader(images, 1, 0, shuffle=False), folder, arguments)
    validator.device, validator.data = torch.device("cpu"), data
    validator.init_metrics(SimpleNamespace(names=dict(enumerate(NAMES)), end2end=False))
    rng, said = np.random.default_rng(0), {}
    for batch in validator.dataloader:
        i = int(Path(batch["im_file"][0]).stem)
        (height, width), ((scale_y, scale_x), (left, top)) = batch["ori_shape"][0], batch["ratio_pad"][0]
        place = Placement(width, height, scale_x, scale_y, round(left - 0.1), round(top - 0.1))
        said[i] = guess(dataset, i, place, tuple(batch["img"].shape[2:]), rng)
        validator.update_metrics(validator.postprocess(said[i].raw()), validator.preprocess(batch))
    return metrics_of("segment", validator.get_stats()), [said[i] for i in sorted(said)]


def at_own_size(dataset: MaskDataset, said: list[Guess]) -> dict[str, float]:
    """COCO's metrics of the same, with the masks that inference would write."""
    found = []
    for image, one in enumerate(said, 1):
        boxes, size = one.boxes(), one.place.size
        for k, part in enumerate(one.masks.in_image(boxes, one.place.back, size)):
            x1, y1, x2, y2 = boxes[k].tolist()
            segmentation = {"counts": encode_part(part, size).decode(), "size": list(size)}
            found += [
                {"image_id": image, "category_id": category, "score": score}
                | {"bbox": [x1, y1, x2 - x1, y2 - y1], "segmentation": segmentation}
                for category, score in enumerate(one.cells[k, 4:].tolist())
            ]
    return mask_metrics(mask_document(dataset), found)


def test_the_metrics_of_a_training_are_those_of_its_masks_at_the_images_own_size(task: Task, tmp_path: Path) -> None:
    dataset = read_splits(task.data_file, MaskDataset)["val"].dataset
    theirs, said = of_ultralytics(task, tmp_path / "data", dataset)
    ours = at_own_size(dataset, said)
    print(theirs, ours)
    assert 0.5 < ours["maskAP"] < 0.95
    assert theirs["maskAP"] == pytest.approx(ours["maskAP"], abs=0.02)
    assert theirs["boxAP"] == pytest.approx(ours["boxAP"], abs=0.02)
    assert theirs["maskAP50_95"] == pytest.approx(ours["maskAP50_95"], abs=0.06)
    assert theirs["boxAP50_95"] == pytest.approx(ours["boxAP50_95"], abs=0.03)
