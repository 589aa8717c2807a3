"""Sets the size of the images that a detector is trained and tested with, wherever a configuration has it."""

import math
from collections.abc import Callable, Iterator

from mmengine.config import Config, ConfigDict

from common.errors import ConfigError
from common.mmlab.fit.classes import WEIGHTED_HEADS
from common.mmlab.fit.nested import mappings

PIXELS = (
    "img_scale", "scale", "scales", "size", "crop_size", "random_size_range", "img_size", "width", "height",
)  # fmt: skip
"""Arguments of transforms (also those of whole batches) and of BatchShapePolicy whose whole numbers are pixels."""

STRIDE = 32
"""Pixels: side of a cell in the coarsest map of most models, so that the sides of their inputs are a multiple of it."""


def input_limits(config: Config) -> tuple[int, int]:
    """(Longer, shorter) side, in pixels, of the box that the test pipeline fits an image into.

    Raises:
        ConfigError: the pipeline leaves images as large as they are.
    """
    for transform in config.val_dataloader.dataset.pipeline:
        if "Resize" in transform.type:
            sides = transform.get("scale") or (transform.width, transform.height)
            return max(sides), min(sides)
    raise ConfigError("this model tests images in their own sizes; img_size and batches are not possible with it")


def set_image_size(config: Config, size: int) -> None:
    """Scale every length in pixels, in place, so that the longer side of a test image becomes `size`.

    Everything is in proportion to the configuration's own test size: (1333, 800) becomes (1000, 600), and YOLOX-tiny,
    tested at 416 and trained at 320 to 640, is trained at 256 to 480 for a size of 320. A model whose own size is a
    multiple of its coarsest stride gets multiples everywhere; `size` is rounded up to one. The weight of YOLOv5's
    object loss follows the area, as in its configurations.

    Args:
        size: in pixels; 0 leaves the configuration as it is.

    Raises:
        ConfigError: as `input_limits`.
    """
    if not size:
        return
    longer, shorter = input_limits(config)
    step = _step(config, longer)
    ratio = math.ceil(size / step) * step / longer

    def resized(pixels: int) -> int:
        return max(math.floor(pixels * ratio / step + 0.5), 1) * step

    smallest = resized(shorter)
    for mapping in _sized(config):
        for name in PIXELS:
            if name in mapping:
                mapping[name] = _each(mapping[name], resized)
        if mapping.get("border"):  # minus half the side of an image, beside a mosaic of four
            mapping["border"] = _each(mapping["border"], lambda pixels: -resized(-2 * pixels) // 2 if pixels else 0)
        if "random_size_range" in mapping:  # a single cell of a single image cannot be normalised
            mapping["random_size_range"] = _each(mapping["random_size_range"], lambda pixels: max(pixels, 2 * step))
            smallest = min(mapping["random_size_range"])
    _fit_model(config, ratio, smallest // step)


def _fit_model(config: Config, ratio: float, cells: int) -> None:
    """Fit what depends on the size in the model.

    Args:
        ratio: of the new size to the configuration's own.
        cells: number along the shorter side of the coarsest map, for the smallest image in a training.
    """
    for mapping in mappings(config.model):
        kind = str(mapping.get("type")).rpartition(".")[2]
        if kind in WEIGHTED_HEADS:
            mapping["loss_obj"]["loss_weight"] *= ratio**2
        if kind == "BatchATSSAssigner":  # it fails where a map has fewer cells than the candidates it looks for
            mapping["topk"] = min(mapping["topk"], cells**2)


def _sized(config: Config) -> Iterator[ConfigDict]:
    """Every dictionary that may have a length in it."""
    for name in ("train_dataloader", "val_dataloader", "test_dataloader", "custom_hooks"):
        yield from mappings(config.get(name))
    yield from mappings(config.model.get("data_preprocessor"))


def _each(value: object, change: Callable[[int], int]) -> object:
    """Change the whole numbers in nested tuples and lists. A fraction is a share, not a length."""
    if isinstance(value, list | tuple):
        return type(value)(_each(item, change) for item in value)
    return change(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _step(config: Config, longer: int) -> int:
    """Common divisor of all lengths: the coarsest stride, for a model whose own size is a multiple of it; else 1."""
    strides = [stride for mapping in mappings(config.model) for stride in mapping.get("featmap_strides", ())]
    if config.model.get("backbone", {}).get("arch") == "P6":
        strides.append(2 * STRIDE)
    step: int = max([STRIDE, *(stride for stride in strides if isinstance(stride, int))])
    return step if longer % step == 0 else 1
