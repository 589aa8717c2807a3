"""A data set of the platform, written as OpenMMLab reads it, and a configuration pointed at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pycocotools.coco
from mmengine.config import Config, ConfigDict

from common.datasets.coco_writer import to_coco, write_coco
from common.datasets.splits import read_splits
from common.env import Task
from common.mmlab.walk import mappings
from common.progress import Progress

SPLITS = ("train", "val")

vars(pycocotools.coco)["print"] = lambda *_: None  # it tells of every index that it makes, past all logging

COCO_DATASETS = ("CocoDataset", "YOLOv5CocoDataset")
"""What can read our files; every other type of data set in a configuration is replaced by the first."""

KEPT = ("batch_shapes_cfg", "backend_args")
"""Arguments of a data set that say nothing about where it lies."""


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
        """How many images there are."""
        return len(msgspec.json.decode(self.document(split).read_bytes())["images"])


def write_data(task: Task, data: Data, max_bad_images: float, progress: Progress) -> None:
    """Convert the training and validation set. The document of the validation set is written last.

    Raises:
        DatasetError: an annotation is malformed.
        ImageError: too many images cannot be decoded.
    """
    splits = read_splits(task, data.folder / "converted", max_bad_images, progress)
    for name in SPLITS:
        split = splits[name]
        document = to_coco(split.dataset, split.sizes, [str(file.absolute()) for file in split.files])
        write_coco(document, data.document(name))


def set_data(config: Config, data: Data, class_names: Sequence[str], batch: int, workers: int) -> None:
    """Point the loaders of a configuration at the data, in place.

    Every image is used: also small ones, and those without objects, which tell the model what is background.

    Args:
        batch: images a rank in a batch, in training and validation.
        workers: processes a rank that read images.
    """
    for split in SPLITS:
        loader = config[f"{split}_dataloader"]
        loader.update(batch_size=batch, num_workers=workers, persistent_workers=workers > 0)
        loader.pop("prefetch_factor", None)
        loader.dataset = _pointed(loader.dataset, data.document(split), class_names, test_mode=split == "val")
    config.val_dataloader.drop_last = False
    for mapping in mappings(config._cfg_dict):
        kind = str(mapping.get("type")).rpartition(".")[2]
        if kind == "FilterAnnotations":
            mapping["keep_empty"] = True
        if kind == "RandomCrop":
            mapping["allow_negative_crop"] = True
        if kind == "BatchShapePolicy":
            mapping["batch_size"] = batch


def _pointed(dataset: ConfigDict, document: Path, class_names: Sequence[str], *, test_mode: bool) -> ConfigDict:
    """The same data set on our files, without wrappers that repeat, join or balance data sets.

    MultiImageMixDataset stays: its pipeline is the mosaic.
    """
    if dataset.type.endswith("MultiImageMixDataset"):
        dataset.dataset = _pointed(dataset.dataset, document, class_names, test_mode=test_mode)
        return dataset
    inner = dataset.get("dataset") or next(iter(dataset.get("datasets", ())), None)
    if inner is not None:
        return _pointed(inner, document, class_names, test_mode=test_mode)
    plain = dataset.type.rpartition(".")[2]
    return ConfigDict(
        {key: dataset[key] for key in KEPT if key in dataset},
        type=dataset.type if plain in COCO_DATASETS else "mmdet.CocoDataset",
        ann_file=str(document),
        data_root="",
        data_prefix={"img": ""},
        metainfo={"classes": tuple(class_names)},
        filter_cfg={"filter_empty_gt": False, "min_size": 0},
        test_mode=test_mode,
        pipeline=dataset.pipeline,
    )
