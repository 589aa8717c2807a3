"""Fits the size of the crops that a semantic model is trained on. Images are resized before they are cropped."""

import math
from collections.abc import Sequence

from mmengine.config import Config, ConfigDict

from common.errors import ConfigError
from common.mmlab.fit.image_size import STRIDE
from common.mmlab.fit.nested import mappings

SLIDE_SHARE = 2 / 3
"""Step from one window to the next as a share of a window, as in mmsegmentation's own configurations."""

Pair = tuple[int, int]


def crop_size(config: Config) -> Pair:
    """Height and width of the crops of a training.

    Raises:
        ConfigError: its images are not cropped, so that a batch of them may not fit together.
    """
    for mapping in mappings(config.train_dataloader.dataset):
        if mapping.get("type") == "RandomCrop":
            return pair(mapping["crop_size"])
    raise ConfigError("this configuration crops no images for its training; choose another one")


def set_crop_size(config: Config, size: int) -> None:
    """Scale every length in pixels, in place, so that the longer side of a crop becomes `size`.

    The size that an image is resized to before, in training and in validation, stays in proportion: the model sees the
    same part of it. So do windows and their steps, where a model looks at an image through them.

    Args:
        size: in pixels; 0 leaves the configuration's own.

    Raises:
        ConfigError: as `crop_size`.
    """
    own = crop_size(config)
    ratio = size / max(own) if size else 1.0
    new = (_side(own[0], ratio), _side(own[1], ratio))
    for loader in (config.train_dataloader, config.val_dataloader):
        for mapping in mappings(loader.dataset):
            _set_transform(mapping, ratio, new)
    config.model.setdefault("data_preprocessor", ConfigDict()).size = new
    backbone = config.model.backbone
    if "img_size" in backbone and pair(backbone.img_size) == own:
        backbone.img_size = new  # there are as many position embeddings as patches in a crop
    if "crop_size" in config.model.test_cfg:
        set_windows(config.model.test_cfg, new, stride=_scaled(pair(config.model.test_cfg.stride), ratio))


def set_windows(test_cfg: ConfigDict, size: Pair, stride: Pair | None = None) -> None:
    """Set the size of the windows, in place; by default neighbours share a third."""
    test_cfg.update(crop_size=size, stride=stride or _scaled(size, SLIDE_SHARE))


def pair(size: int | Sequence[int]) -> Pair:
    """Height and width, which a configuration may give as one number."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _set_transform(mapping: ConfigDict, ratio: float, crop: Pair) -> None:
    kind = mapping.get("type")
    if kind == "RandomCrop":
        mapping["crop_size"] = crop
    if kind == "Pad":
        mapping["size"] = crop
    if kind in ("RandomResize", "Resize"):
        mapping["scale"] = _scaled(pair(mapping["scale"]), ratio)


def _side(own: int, ratio: float) -> int:
    step = STRIDE if own % STRIDE == 0 else 1
    return max(math.floor(own * ratio / step + 0.5), 1) * step


def _scaled(size: Pair, ratio: float) -> Pair:
    return max(round(size[0] * ratio), 1), max(round(size[1] * ratio), 1)
