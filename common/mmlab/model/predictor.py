"""Predictions of a trained OpenMMLab detector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.arrays import Floats, Pixels
from common.boxes.convention import Convention
from common.images.letterbox import Prepared
from common.mmlab.model.class_maps import class_maps
from common.mmlab.model.fitting import Fitting
from common.mmlab.model.fuse import fuse
from common.mmlab.model.heads import dense_head, is_a
from common.mmlab.model.probabilities import keep_probabilities, probabilities_of
from common.mmlab.rotated_boxes import rotated_boxes
from common.predictions import MAX_DETECTIONS, Detections, Prediction, RotatedDetections

if TYPE_CHECKING:
    from mmdet.structures import DetDataSample
    from mmengine.model import BaseModel, BaseModule
    from mmengine.structures import InstanceData

CHANNELS_LAST = ("YOLOv5Head", "YOLOXHead", "RTMDetHead")
"""Heads of models that are a quarter faster on a CPU in this memory format. Some others fail in it, such as VFNet."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the reported detections.

    Attributes:
        score: the score of a detection must be above it.
        count: maximum number of detections per image.
    """

    score: float
    count: int = MAX_DETECTIONS


class MmlabPredictor:
    """See `loop.predictor.Predictor`.

    Args:
        model: a detector of mmdet, mmyolo or mmrotate. It is changed, for inference only.
        device: where to run it; half precision on a GPU where the head is dense.
        fitting: makes the inputs.
        limits: of the reported detections.
        class_names: position = class index.
        convention: of rotated boxes; None for upright ones.
    """

    def __init__(
        self,
        model: "BaseModel",
        device: torch.device,
        fitting: Fitting,
        limits: Limits,
        class_names: Sequence[str],
        convention: Convention | None = None,
    ) -> None:
        self._model = model.eval().to(device)
        fuse(model)
        keep_probabilities(model)
        self._head = dense_head(model)
        if device.type == "cpu" and self._head is not None and is_a(self._head, *CHANNELS_LAST):
            self._model.to(memory_format=torch.channels_last)
        if self._head is not None:
            self._head.register_forward_hook(self._after_head)
        self._half = device.type == "cuda" and self._head is not None
        self._device = device
        self._fitting = fitting
        self._limits = limits
        self._convention = convention
        self._wants_maps = False
        self._maps: list[Tensor] = []
        self.class_names = class_names

    def prepare(self, image: Pixels) -> Prepared:
        """Scale and pad, as the model's configuration says."""
        return self._fitting.prepare(image)

    @torch.inference_mode()
    def predict(self, batch: NDArray[np.uint8], *, class_maps: bool) -> list[Prediction]:
        """Run a forward pass and the model's own last step.

        Raises:
            ValueError: class maps are asked for, and the model provides none.
        """
        if class_maps and self._head is None:
            raise ValueError(f"{type(self._model).__name__} provides no class maps")
        self._wants_maps = class_maps
        data = self._model.data_preprocessor(_samples(batch), False)
        with torch.autocast(self._device.type, torch.float16, enabled=self._half):
            found = self._model.predict(data["inputs"], data["data_samples"], rescale=False)
        maps = self._class_maps() if class_maps else [()] * len(batch)
        detections = [self._detections(sample.pred_instances) for sample in found]
        return [Prediction(each, cells) for each, cells in zip(detections, maps, strict=True)]

    def _after_head(self, head: "BaseModule", _features: object, outputs: Sequence[Sequence[Tensor]]) -> object:
        """Decode boxes in single precision: half of it has steps of half a pixel at the far edge of an image."""
        if self._wants_maps:
            self._maps = class_maps(head, outputs)
        return _as_float(outputs) if self._half else outputs

    def _class_maps(self) -> list[tuple[Floats, ...]]:
        arrays = [scale.cpu().numpy() for scale in self._maps]
        self._maps = []
        return list(zip(*arrays, strict=True))

    def _detections(self, results: "InstanceData") -> Detections:
        results = results[results.scores > self._limits.score]
        results = results[results.scores.argsort(descending=True, stable=True)[: self._limits.count]]
        boxes = results.bboxes if self._convention is None else rotated_boxes(results.bboxes)
        columns = (
            _floats(boxes),
            _floats(results.scores),
            results.labels.cpu().numpy().astype(np.int64),
            _floats(probabilities_of(results, len(self.class_names))),
        )
        return Detections(*columns) if self._convention is None else RotatedDetections(*columns, self._convention)


def _samples(batch: NDArray[np.uint8]) -> dict[str, Tensor | list["DetDataSample"]]:
    """Turn `(B, H, W, 3)` uint8 BGR into the input of a data preprocessor: `(B, 3, H, W)`, and metadata."""
    from mmdet.structures import DetDataSample

    size = batch.shape[1:3]
    known = {"img_shape": size, "ori_shape": size, "batch_input_shape": size, "pad_shape": size}
    known["scale_factor"] = (1.0, 1.0)
    return {
        "inputs": torch.from_numpy(batch).permute(0, 3, 1, 2),
        "data_samples": [DetDataSample(metainfo=known) for _ in batch],
    }


def _as_float(outputs: object) -> object:
    if isinstance(outputs, Tensor):
        return outputs.float()
    return type(outputs)(map(_as_float, outputs)) if isinstance(outputs, list | tuple) else outputs


def _floats(tensor: Tensor) -> Floats:
    return tensor.float().cpu().numpy()
