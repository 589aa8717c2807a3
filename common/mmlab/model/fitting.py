"""Makes an input of a detector from an image: scaled and padded as its configuration says."""

from dataclasses import dataclass

from mmengine.config import Config
from torch import nn

from common.arrays import Pixels
from common.images.letterbox import Prepared, letterbox, stretch
from common.mmlab.fit.image_size import STRIDE, input_limits
from common.mmlab.model.heads import dense_head


@dataclass(frozen=True, slots=True)
class Fitting:
    """Input of one detector.

    Attributes:
        longer, shorter: limits of the sides of the image in the input, in pixels.
        stride: the sides of the input are padded to a multiple of it.
        keep_ratio: False for a detector that takes squares of any aspect ratio (SSD).
    """

    longer: int
    shorter: int
    stride: int
    keep_ratio: bool

    def prepare(self, image: Pixels) -> Prepared:
        """Fit one `(h, w, 3)` image. The result depends on this image alone."""
        if not self.keep_ratio:
            return stretch(image, self.longer)
        longer, shorter = max(image.shape[:2]), min(image.shape[:2])
        scale = min(self.longer / longer, self.shorter / shorter)
        return letterbox(image, max(round(longer * scale), 1), self.stride)


def fitting_of(config: Config, model: nn.Module, img_size: int) -> Fitting:
    """Read the input of a detector from its configuration.

    Args:
        config: the whole configuration.
        model: built from it.
        img_size: longer side in pixels, instead of the configuration's; the shorter follows in proportion. 0: as it is.
    """
    longer, shorter = input_limits(config)
    if img_size:
        longer, shorter = img_size, max(round(img_size * shorter / longer), 1)
    return Fitting(longer, shorter, stride_of(model), keeps_ratio(config))


def stride_of(model: nn.Module) -> int:
    """Divisor of the sides of a detector's input.

    mmdet's configurations declare it, as their necks take any size; mmyolo's do not, though the parts of its P6
    models only fit together at a multiple of the coarsest stride.
    """
    declared = int(getattr(model.data_preprocessor, "pad_size_divisor", 1))
    strides = getattr(getattr(dense_head(model), "prior_generator", None), "strides", ())
    coarsest = max((max(stride) for stride in strides), default=STRIDE)
    return declared if declared > 1 else max(int(coarsest), STRIDE)


def keeps_ratio(config: Config) -> bool:
    """Find out whether the test pipeline keeps the aspect ratio."""
    steps = [step for step in config.val_dataloader.dataset.pipeline if step.type.rpartition(".")[2] == "Resize"]
    return all(step.get("keep_ratio", False) for step in steps)
