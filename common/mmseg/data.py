"""Writes a data set of the platform as mmsegmentation reads it, and points a configuration at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config, ConfigDict

from common.datasets.label_map_writer import SUFFIX, write_label_maps
from common.datasets.mask_dataset import MaskDataset
from common.datasets.stored import read_splits
from common.mmlab.fit.nested import mappings
from common.task.env import Task

SPLITS = ("train", "val")


@dataclass(frozen=True, slots=True)
class Data:
    """The images and maps of classes of a task, and the files `train.txt` and `val.txt` that list them.

    Attributes:
        folder: holds them.
    """

    folder: Path

    def listing(self, split: str) -> Path:
        """Path of the file that names the images of `train` or `val`."""
        return self.folder / f"{split}.txt"


def write_data(task: Task, data: Data, *, ignore_black_area: bool) -> None:
    """Convert the training and validation set. The list of the validation set is written last.

    Raises:
        DatasetError: there are too many classes.
    """
    splits = read_splits(task.data_file, MaskDataset)
    for name in SPLITS:
        split = splits[name]
        write_label_maps(split.dataset, split.files, data.folder, name, ignore_black_area=ignore_black_area)


def set_data(config: Config, data: Data, classes: Sequence[str], batch: int, workers: int) -> None:
    """Point the loaders of a configuration at the data, in place.

    A validation takes one image after the other, because their sizes differ.

    Args:
        classes: all that the model learns, including the background.
        batch: batch size per rank in training.
        workers: data-loading processes per rank.
    """
    for split, size in (("train", batch), ("val", 1)):
        loader = config[f"{split}_dataloader"]
        loader.update(batch_size=size, num_workers=workers, persistent_workers=workers > 0)
        loader.pop("prefetch_factor", None)
        loader.dataset = _dataset(loader.dataset, data, split, classes)
        for mapping in mappings(loader.dataset.pipeline):
            mapping.pop("reduce_zero_label", None)
    config.train_dataloader.sampler = {"type": "InfiniteSampler", "shuffle": True}
    config.val_dataloader.sampler = {"type": "DefaultSampler", "shuffle": False, "round_up": False}  # count images once


def _dataset(own: ConfigDict, data: Data, split: str, classes: Sequence[str]) -> ConfigDict:
    return ConfigDict(
        type="BaseSegDataset",
        data_root=str(data.folder.absolute()),
        ann_file=data.listing(split).name,
        data_prefix={"img_path": f"images/{split}", "seg_map_path": f"labels/{split}"},
        img_suffix="",
        seg_map_suffix=SUFFIX,
        metainfo={"classes": tuple(classes)},
        reduce_zero_label=False,
        test_mode=split == "val",
        pipeline=_pipeline(own),
    )


def _pipeline(dataset: ConfigDict) -> list[ConfigDict]:
    """Pipeline of a data set, or of the first one that it repeats or joins."""
    while "pipeline" not in dataset:
        dataset = dataset.dataset if "dataset" in dataset else dataset.datasets[0]
    return list(dataset.pipeline)
