"""Predictions of a trained YOLO, for boxes or masks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from common.arrays import Floats, Pixels
from common.images.letterbox import Prepared, letterbox, stretch
from common.masks.prototypes import Prototypes
from common.predictions import MAX_DETECTIONS, Detections, Prediction
from common.yolo.dropout import dropped, inputs_of

if TYPE_CHECKING:
    from ultralytics.nn.tasks import BaseModel, DetectionModel

Raw = Mapping[str, Any]
"""Outputs of a YOLO's head before they are decoded: tensors, or again such a mapping for each of two heads."""

Queries = Sequence[torch.Tensor]
"""Outputs of RT-DETR's head: boxes and class logits of each layer, and more."""

Outputs = tuple[torch.Tensor | tuple[torch.Tensor, torch.Tensor], Raw | Queries]
"""Outputs of a model: decoded ones, with the prototypes of a model of instance segmentation, and raw ones."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a predictor.

    Attributes:
        img_size: longer side of the input in pixels, rounded up to the stride of the model.
        conf_thres: least confidence of a detection.
        iou_thres: IoU above which the weaker of two boxes of a class is dropped.
        square: whether images are resized to a square as they are, not fitted into it with a border.
        pin_memory: whether batches reach a GPU through page-locked memory.
    """

    img_size: int = 640
    conf_thres: float = 0.25
    iou_thres: float = 0.45
    square: bool = False
    pin_memory: bool = False


def is_rtdetr(model: "BaseModel") -> bool:
    """Recognise a model that predicts from queries, not from cells, and so provides no class maps."""
    return type(model.model[-1]).__name__ == "RTDETRDecoder"


class YoloPredictor:
    """See `loop.predictor.Predictor`.

    Args:
        model: an ultralytics model of detection or of instance segmentation.
        device: where to run it; half precision on a GPU.
        settings: sizes and thresholds.
    """

    def __init__(self, model: "DetectionModel", device: torch.device, settings: Settings) -> None:
        self._queries = is_rtdetr(model)
        model.model[-1].end2end = False  # one path for all models: class probabilities of every cell, then NMS
        self._model = model.fuse().to(device).eval()
        if device.type == "cuda":
            self._model = self._model.half()
        else:
            self._model = self._model.to(memory_format=torch.channels_last)
        self.class_names: Sequence[str] = tuple(model.names.values())
        self._stride = int(model.stride.max())
        self._device = device
        self._settings = settings

    def prepare(self, image: Pixels) -> Prepared:
        """Letterbox to the model's stride, or resize to a square: with `square`, and always for RT-DETR."""
        size = -(-self._settings.img_size // self._stride) * self._stride
        square = self._queries or self._settings.square
        return stretch(image, size) if square else letterbox(image, size, self._stride)

    @torch.inference_mode()
    def predict(self, batch: NDArray[np.uint8], *, class_maps: bool) -> list[Prediction]:
        """Forward pass and NMS."""
        outputs = self._model(self._tensor(batch))
        return self._predictions(outputs, (batch.shape[1], batch.shape[2]), class_maps=class_maps)

    @torch.inference_mode()
    def predict_dropout(self, batch: NDArray[np.uint8], passes: Sequence[Sequence[int]]) -> Iterator[list[Prediction]]:
        """Forward passes with some features missing; all but the head runs once. See `dropout`.

        Args:
            batch: `(B, H, W, 3)` uint8 BGR.
            passes: B seeds per pass. The predictions for an image depend on its own seed alone.
        """
        head = self._model.model[-1]
        with inputs_of(head) as features:
            self._model(self._tensor(batch))
        for seeds in passes:
            outputs = head(dropped(features, seeds))
            yield self._predictions(outputs, (batch.shape[1], batch.shape[2]), class_maps=False)

    def _predictions(self, outputs: Outputs, size: tuple[int, int], *, class_maps: bool) -> list[Prediction]:
        """Predictions from the outputs of the head, for a batch of inputs of `size`, height and width."""
        output, raw = outputs
        output, prototypes = output if isinstance(output, tuple) else (output, None)
        if not isinstance(raw, Mapping):
            output = _decode_queries(raw, size[0])
        detections, coefficients = self._suppress(output.float())
        maps = self._class_maps(raw) if class_maps else [()] * len(detections)
        if prototypes is None:
            return [Prediction(*image) for image in zip(detections, maps, strict=True)]
        masks = map(partial(Prototypes, input_size=size), coefficients, prototypes.float().cpu().numpy())
        return [Prediction(*image) for image in zip(detections, maps, masks, strict=True)]

    def _tensor(self, batch: NDArray[np.uint8]) -> torch.Tensor:
        """`(B, H, W, 3)` uint8 BGR -> `(B, 3, H, W)` RGB in [0, 1] on the device."""
        pixels = torch.from_numpy(batch)
        if self._settings.pin_memory and self._device.type == "cuda":
            pixels = pixels.pin_memory()
        pixels = pixels.to(self._device, non_blocking=True).permute(0, 3, 1, 2).flip(1)
        return pixels.to(next(self._model.parameters()).dtype).div_(255)

    def _suppress(self, output: torch.Tensor) -> tuple[list[Detections], list[Floats]]:
        """Final detections of each image, and their coefficients `(n, m)`; m is 0 for a detector.

        Args:
            output: `(B, 4 + K + m, N)`, boxes (cx, cy, w, h), probabilities and coefficients of N cells or queries.
        """
        from ultralytics.utils.nms import non_max_suppression

        rows, kept = non_max_suppression(
            output.clone(),  # it converts the boxes in place
            self._settings.conf_thres,
            self._settings.iou_thres,
            max_det=MAX_DETECTIONS,
            nc=len(self.class_names),
            max_time_img=float("inf"),  # with a limit, a slow machine would lose the boxes of a batch's last images
            return_idxs=True,
        )
        probabilities = output[:, 4 : 4 + len(self.class_names)].transpose(1, 2)
        detections = [
            _detections(found, probabilities[i][index.long().flatten()])
            for i, (found, index) in enumerate(zip(rows, kept, strict=True))
        ]
        return detections, [found[:, 6:].cpu().numpy() for found in rows]

    def _class_maps(self, raw: Raw | Queries) -> list[tuple[Floats, ...]]:
        """Class probabilities of every cell: one `(K, h, w)` map per scale, for each image.

        Raises:
            ValueError: the model predicts from queries, not from cells.
        """
        if not isinstance(raw, Mapping):
            raise ValueError("RT-DETR provides no class maps")
        head: Any = self._model.model[-1]
        scales = head.class_maps(raw) if hasattr(head, "class_maps") else _cell_maps(raw.get("one2many", raw))
        return list(zip(*(scale.cpu().numpy() for scale in scales), strict=True))


def _cell_maps(raw: Raw) -> list[torch.Tensor]:
    """`(B, K, h, w)` class probabilities of each scale of a head without anchors."""
    shapes = [feature.shape[-2:] for feature in raw["feats"]]
    scales = raw["scores"].float().sigmoid().split([h * w for h, w in shapes], dim=-1)
    return [scale.unflatten(-1, shape) for scale, shape in zip(scales, shapes, strict=True)]


def _decode_queries(raw: Queries, size: int) -> torch.Tensor:
    """Turn RT-DETR's boxes in units of the input and its class logits into `(B, 4 + K, Q)`, as of YOLO, in pixels."""
    boxes, logits = raw[0][-1], raw[1][-1]
    return torch.cat((boxes * size, logits.sigmoid()), dim=-1).transpose(1, 2)


def _detections(rows: torch.Tensor, probabilities: torch.Tensor) -> Detections:
    """`(n, 6)` rows of x1, y1, x2, y2, score, class, and `(n, K)` probabilities."""
    rows = rows.cpu()
    return Detections(
        boxes=rows[:, :4].numpy(),
        scores=rows[:, 4].numpy(),
        classes=rows[:, 5].numpy().astype(np.int64),
        probabilities=probabilities.cpu().numpy(),
    )
