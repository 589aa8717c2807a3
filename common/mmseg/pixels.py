"""Classes of the pixels of an image, kept on the device where the model runs."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from common.arrays import Floats


class Logits:
    """See `predictions.PixelClasses`.

    Args:
        logits: `(K, h, w)`, the scores of K >= 2 classes at each pixel of the model's input.
        align_corners: whether the centres of the corner pixels stay in place when the model resizes maps.
        sigmoid: whether the model learned each class by itself.
    """

    def __init__(self, logits: Tensor, *, align_corners: bool, sigmoid: bool) -> None:
        self._logits = logits
        self._align_corners = align_corners
        self._sigmoid = sigmoid

    @torch.inference_mode()
    def probabilities(self) -> Floats:
        """See `PixelClasses`. Classes that were learned by themselves share the whole in proportion."""
        logits = self._logits.float()
        if self._sigmoid:
            logits = torch.nn.functional.logsigmoid(logits)  # the softmax of logarithms divides by the sum
        return torch.softmax(logits, dim=0).cpu().numpy()

    @torch.inference_mode()
    def labels(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """See `PixelClasses`. As mmsegmentation does it, but in the memory of two classes instead of all."""
        best = self._resized(0, size)
        labels = torch.zeros(size, dtype=torch.uint8, device=best.device)
        for index in range(1, len(self._logits)):
            score = self._resized(index, size)
            labels.masked_fill_(score > best, index)
            best = torch.maximum(best, score)
        return labels.cpu().numpy()

    def _resized(self, index: int, size: tuple[int, int]) -> Tensor:
        one = self._logits[None, index : index + 1].float()
        return interpolate(one, size, mode="bilinear", align_corners=self._align_corners)[0, 0]
