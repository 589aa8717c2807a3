"""Writes a data set of the platform as OpenMMLab reads it, and points a configuration at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pycocotools.coco
from mmengine.config import Config, ConfigDict

from common.arrays import Doubles
from common.contract import AngleUnit
from common.datasets.coco_writer import to_coco, write_coco
from common.datasets.dataset import Dataset
from common.datasets.stored import read_splits
from common.mmlab.fit.config import has_rotated_boxes
from common.mmlab.fit.nested import mappings
from common.task.env import Task

SPLITS = ("train", "val")

vars(pycocotools.coco)["print"] = lambda *_: None  # it prints a line for every index that it makes, past all logging

COCO_DATASETS = ("mmdet.CocoDataset", "YOLOv5CocoDataset")
"""Types of data sets that can read our files; any other type in a configuration is replaced by the first."""

ROTATED_DATASETS = ("RotatedBoxDataset",)
"""Types of data sets that can read our files with rotated boxes."""

KEPT = ("batch_shapes_cfg", "backend_args")
"""Arguments of a data set that do not depend on its location."""


@dataclass(frozen=True, slots=True)
class Data:
    """The COCO documents `train.json` and `val.json` of a task.

    Attributes:
        folder: holds them.
    """

    folder: Path

    def document(self, split: str) -> Path:
        """Path of the document of `train` or `val`."""
        return self.folder / f"{split}.json"

    def images(self, split: str) -> int:
        """Number of images."""
        return len(msgspec.json.decode(self.document(split).read_bytes())["images"])

    def rotated_boxes(self, split: str) -> Doubles:
        """All rotated boxes `(n, 5)`: cx, cy, w, h in pixels and the angle in radians, as the files have them."""
        annotations = msgspec.json.decode(self.document(split).read_bytes())["annotations"]
        return np.array([annotation["obb"] for annotation in annotations]).reshape(-1, 5)


def write_data(task: Task, data: Data, unit: AngleUnit | None = None) -> None:
    """Convert the training and validation set. The document of the validation set is written last.

    Args:
        task: whose data set the parent has read.
        unit: of the angles of rotated boxes; none: all boxes are upright.
    """
    splits = read_splits(task.data_file, Dataset)
    for name in SPLITS:
        split = splits[name]
        document = to_coco(split.dataset, split.sizes, [str(file.absolute()) for file in split.files], unit)
        write_coco(document, data.document(name))


def set_data(config: Config, data: Data, class_names: Sequence[str], batch: int, workers: int) -> None:
    """Point the loaders of a configuration at the data, in place.

    Every image is used: also small ones, and those without objects, from which the model learns the background.

    Args:
        batch: batch size per rank, in training and validation.
        workers: data-loading processes per rank.
    """
    readers = ROTATED_DATASETS if has_rotated_boxes(config) else COCO_DATASETS
    for split in SPLITS:
        loader = config[f"{split}_dataloader"]
        loader.update(batch_size=batch, num_workers=workers, persistent_workers=workers > 0)
        loader.pop("prefetch_factor", None)
        loader.dataset = _pointed(loader.dataset, readers, data.document(split), class_names, test_mode=split == "val")
    config.val_dataloader.drop_last = False
    for mapping in mappings(config._cfg_dict):
        kind = str(mapping.get("type")).rpartition(".")[2]
        if has_rotated_boxes(config):
            _load_corners(mapping, kind)
        if kind == "FilterAnnotations":
            mapping["keep_empty"] = True
        if kind == "RandomCrop":
            mapping["allow_negative_crop"] = True
        if kind == "BatchShapePolicy":
            mapping["batch_size"] = batch


def _load_corners(mapping: ConfigDict, kind: str) -> None:
    """Have a transform of mmrotate load corners, where some configurations load masks, and accept any classes."""
    if mapping.pop("with_mask", False):
        mapping["box_type"] = "qbox"  # four corners, as the other configurations load boxes
        mapping.pop("poly2mask", None)
    if kind == "ConvertMask2BoxType":
        mapping.update(type="ConvertBoxType", box_type_mapping={"gt_bboxes": mapping.pop("box_type")})
    mapping.pop("rect_obj_labels", None)  # classes of DOTA, which RandomRotate turns by right angles only


def _pointed(
    dataset: ConfigDict, readers: Sequence[str], document: Path, class_names: Sequence[str], *, test_mode: bool
) -> ConfigDict:
    """Point a data set at our files, without the wrappers that repeat, join or balance data sets.

    MultiImageMixDataset stays: its pipeline is the mosaic.
    """
    if dataset.type.endswith("MultiImageMixDataset"):
        dataset.dataset = _pointed(dataset.dataset, readers, document, class_names, test_mode=test_mode)
        return dataset
    inner = dataset.get("dataset") or next(iter(dataset.get("datasets", ())), None)
    if inner is not None:
        return _pointed(inner, readers, document, class_names, test_mode=test_mode)
    return ConfigDict(
        {key: dataset[key] for key in KEPT if key in dataset},
        type=dataset.type if dataset.type in readers else readers[0],
        ann_file=str(document),
        data_root="",
        data_prefix={"img": ""},
        metainfo={"classes": tuple(class_names)},
        filter_cfg={"filter_empty_gt": False, "min_size": 0},
        test_mode=test_mode,
        pipeline=dataset.pipeline,
    )
