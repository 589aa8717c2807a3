"""What some semantic models need around an image: more pixels on the right and at the bottom, taken away afterwards."""

from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from common.errors import ConfigError
from common.mmlab.fit.nested import mappings

STRIDES = {"DDRNet": 64, "PIDNet": 64, "UNet": 16}
"""Backbones whose branches fit together only where the sides of an input are a multiple of it, in pixels."""

LEAST = {"LRASPPHead": (392, 392)}
"""Heads that pool so many rows and columns of an input into one cell."""

ONE_SIZE = ("BEiT", "MAE")
"""Backbones that see windows of one size: that of the crops that they were trained on."""


def set_padding(config: Config) -> None:
    """Have every image padded as its model needs it, in place: in validation, by us, and by mmsegmentation's own tools.

    Raises:
        ConfigError: the model sees windows of one size only, and shall look at whole images.
    """
    kinds = _kinds(config)
    needs: list[dict[str, Any]] = [{"size_divisor": STRIDES[kind]} for kind in kinds if kind in STRIDES]
    needs += [{"size": LEAST[kind]} for kind in kinds if kind in LEAST]
    if not kinds.isdisjoint(ONE_SIZE):
        if config.model.test_cfg.mode != "slide":
            raise ConfigError(f"mode: whole is not possible with {config.model.backbone.type}; give slide")
        needs.append({"size": config.model.test_cfg.crop_size})
    if needs:
        config.model.data_preprocessor.test_cfg = needs[0]


def check_crop(config: Config) -> None:
    """Let crops pass that the model can be trained on: nothing is padded there.

    Raises:
        ConfigError: they are too small.
    """
    crop = config.model.data_preprocessor.size
    for height, width in (LEAST[kind] for kind in _kinds(config) & LEAST.keys()):
        if crop[0] < height or crop[1] < width:
            raise ConfigError(
                f"img_size: crops of {crop[0]} x {crop[1]} pixels are too small for this model, which needs at least"
                f" {height} x {width}"
            )


def _kinds(config: Config) -> set[str]:
    return {str(mapping.get("type")).rpartition(".")[2] for mapping in mappings(config.model)}


@dataclass(frozen=True, slots=True)
class Padding:
    """What a model needs.

    Attributes:
        divisor: the sides must be a multiple of it.
        least: smallest height and width.
    """

    divisor: int
    least: tuple[int, int]

    @classmethod
    def of(cls, config: Config) -> "Padding":
        """What a configuration says."""
        needs = config.model.get("data_preprocessor", {}).get("test_cfg") or {}
        height, width = needs.get("size") or (1, 1)
        return cls(needs.get("size_divisor") or 1, (height, width))

    def around(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns to add to an input of this size."""
        rows, columns = max(height, self.least[0]), max(width, self.least[1])
        return -(-rows // self.divisor) * self.divisor - height, -(-columns // self.divisor) * self.divisor - width
