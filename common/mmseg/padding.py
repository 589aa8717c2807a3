"""Padding that some semantic models need: pixels on the right and at the bottom of an image, removed afterwards."""

from dataclasses import dataclass

from mmengine.config import Config

from common.errors import ConfigError
from common.mmlab.fit.nested import mappings

STRIDES = {"DDRNet": 64, "PIDNet": 64, "UNet": 16}
"""Backbones whose branches fit together only where the sides of an input are a multiple of it, in pixels."""

LEAST = {"LRASPPHead": (392, 392)}
"""Smallest inputs, height and width in pixels, of heads that pool as many rows and columns into one cell."""

ONE_SIZE = ("BEiT", "MAE")
"""Backbones that see windows of one size: that of the crops that they were trained on."""


def set_padding(config: Config) -> None:
    """Set the padding of images, in place: for validation, for our predictor, and for mmsegmentation's own tools.

    Raises:
        ConfigError: the model takes windows of one size only, but `mode` is whole.
    """
    kinds = _kinds(config)
    needs: list[dict[str, object]] = [{"size_divisor": STRIDES[kind]} for kind in kinds if kind in STRIDES]
    needs += [{"size": LEAST[kind]} for kind in kinds if kind in LEAST]
    if not kinds.isdisjoint(ONE_SIZE):
        if config.model.test_cfg.mode != "slide":
            raise ConfigError(f"mode: whole is not possible with {config.model.backbone.type}; give slide")
        needs.append({"size": config.model.test_cfg.crop_size})
    if needs:
        config.model.data_preprocessor.test_cfg = needs[0]


def check_crop(config: Config) -> None:
    """Reject crops that are too small to train the model on: crops are not padded.

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
    """Padding of the inputs of one model.

    Attributes:
        divisor: the sides must be a multiple of it.
        least: smallest height and width.
    """

    divisor: int
    least: tuple[int, int]

    @classmethod
    def of(cls, config: Config) -> "Padding":
        """Read the padding from a configuration."""
        needs = config.model.get("data_preprocessor", {}).get("test_cfg") or {}
        height, width = needs.get("size") or (1, 1)
        return cls(needs.get("size_divisor") or 1, (height, width))

    def around(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns to add to an input of this size."""
        rows, columns = max(height, self.least[0]), max(width, self.least[1])
        return -(-rows // self.divisor) * self.divisor - height, -(-columns // self.divisor) * self.divisor - width
