"""Predictions of a trained semantic model of mmsegmentation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from common.arrays import Pixels
from common.images.letterbox import Prepared
from common.mmlab.model.fuse import fuse
from common.mmseg.fitting import Fitting
from common.mmseg.padding import Padding
from common.mmseg.pixels import Logits
from common.mmseg.repeatable import make_repeatable
from common.predictions import Detections, Prediction

if TYPE_CHECKING:
    from mmengine.model import BaseModel


class SemanticPredictor:
    """See `loop.predictor.Predictor`.

    Args:
        model: a segmentor of mmsegmentation. It is changed, for inference only.
        device: where to run it.
        fitting: size of the inputs.
        padding: of the inputs.
        class_names: without the background.
        half: whether to compute in half precision.
    """

    def __init__(
        self,
        model: "BaseModel",
        device: torch.device,
        fitting: Fitting,
        padding: Padding,
        class_names: Sequence[str],
        *,
        half: bool,
    ) -> None:
        self._model = model.eval().to(device)
        fuse(model)
        make_repeatable(model)
        model.data_preprocessor.test_cfg = None  # padding is done here
        self._device = device
        self._fitting = fitting
        self._padding = padding
        self._half = half
        self._sigmoid = learned_by_sigmoid(model)
        self.class_names = class_names

    def prepare(self, image: Pixels) -> Prepared:
        """Resize, as the model's configuration says."""
        return self._fitting.prepare(image)

    def predict(self, batch: NDArray[np.uint8], *, class_maps: bool) -> list[Prediction]:
        """Forward pass. There are no boxes, and `class_maps` changes nothing: the maps are always there."""
        nothing = Detections.empty(len(self.class_names))
        return [
            Prediction(nothing, pixels=Logits(logits, align_corners=self._model.align_corners, sigmoid=self._sigmoid))
            for logits in self._logits(batch)
        ]

    @torch.inference_mode()
    def _logits(self, batch: NDArray[np.uint8]) -> Tensor:
        """`(B, H, W, 3)` uint8 BGR -> `(B, K, H, W)`."""
        height, width = batch.shape[1:3]
        images = list(torch.from_numpy(batch).permute(0, 3, 1, 2))
        inputs = self._model.data_preprocessor({"inputs": images}, False)["inputs"]
        more_height, more_width = self._padding.around(height, width)
        inputs = pad(inputs, (0, more_width, 0, more_height))
        size = inputs.shape[2:]
        known = [{"ori_shape": size, "img_shape": size, "pad_shape": size} for _ in batch]
        with torch.autocast(self._device.type, torch.float16, enabled=self._half):
            logits: Tensor = self._model.inference(inputs, known)
        return logits[:, :, :height, :width]


def learned_by_sigmoid(model: "BaseModel") -> bool:
    """Recognise a segmentor that learned each class by itself."""
    head = model.decode_head
    losses = getattr(head[-1] if isinstance(head, torch.nn.ModuleList) else head, "loss_decode", None)
    first = losses[0] if isinstance(losses, torch.nn.ModuleList) else losses
    return bool(getattr(first, "use_sigmoid", False))
