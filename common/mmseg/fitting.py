"""Makes an input of a semantic model from an image: resized as its configuration says, without a border."""

from dataclasses import dataclass

import cv2
import numpy as np
from mmengine.config import Config

from common.arrays import Pixels
from common.images.letterbox import Placement, Prepared
from common.mmlab.fit.image_size import input_limits


@dataclass(frozen=True, slots=True)
class Fitting:
    """The size of the inputs of one model: as large as both limits allow, with the image's aspect ratio.

    Attributes:
        longer, shorter: limits of the sides, in pixels.
    """

    longer: int
    shorter: int

    def prepare(self, image: Pixels) -> Prepared:
        """Fit one `(h, w, 3)` image, to the size that mmsegmentation gives it."""
        height, width = image.shape[:2]
        scale = min(self.longer / max(height, width), self.shorter / min(height, width))
        new = max(int(width * scale + 0.5), 1), max(int(height * scale + 0.5), 1)
        placement = Placement(width, height, new[0] / width, new[1] / height, 0, 0)
        if new == (width, height):
            return Prepared(image, placement)
        return Prepared(np.asarray(cv2.resize(image, new, interpolation=cv2.INTER_LINEAR), np.uint8), placement)


def fitting_of(config: Config, img_size: int) -> Fitting:
    """Read the size of the inputs from a configuration.

    Args:
        config: the whole configuration.
        img_size: longer side of each input in pixels, whatever the configuration says. 0: as the configuration says.
    """
    return Fitting(img_size, img_size) if img_size else Fitting(*input_limits(config))
