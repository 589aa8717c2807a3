"""The anchored head of YOLOv5, as ultralytics' models, validator and exporter take their own heads.

Source of the formulas: YOLOv5 v7.0, models/yolo.py, classes Detect and Segment, and models/common.py, class Proto.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from ultralytics.nn.modules import Conv
from ultralytics.nn.modules.head import Detect

BOX = 4
"""Channels of a box; that of the objectness comes next, then one per class, then the coefficients of the mask."""

_OBJECTS_PER_IMAGE = 8
_IMAGE_SIDE = 640
_CLASS_CHANCE = 0.6
"""Assumptions of the first biases: objects per image on each scale, its side in pixels, and the chances of all classes
together (YOLOv5 v7.0, `_initialize_biases`)."""


class AnchoredDetect(Detect):  # type: ignore[misc]  # ultralytics is untyped
    """Boxes from anchors: one convolution per scale, whose channels belong to A anchors of 5 + K (+ m) each.

    It is a `Detect`, so that ultralytics fuses, moves and exports it as its own, but has none of its branches.

    Attributes:
        sizes: `(L, A, 2)` widths and heights of the anchors in pixels of the input.
        stride: `(L,)` pixels of the input per cell.
        nc, na, nl, nm, no: classes, anchors per cell, scales, mask coefficients, channels per anchor.

    Args:
        nc: K, the number of classes.
        anchors: for each scale widths and heights in turn, in pixels of the input.
        channels: of the features of each scale.
        strides: of each scale.
    """

    cv2: Any = ()
    cv3: Any = ()
    nm = 0
    sizes: torch.Tensor
    stride: torch.Tensor

    def __init__(
        self, nc: int, anchors: Sequence[Sequence[float]], channels: Sequence[int], strides: Sequence[float]
    ) -> None:
        torch.nn.Module.__init__(self)
        self.nc, self.nl, self.na = nc, len(anchors), len(anchors[0]) // 2
        self.no = BOX + 1 + nc + self.nm
        self.stride = torch.tensor(strides, dtype=torch.float32)
        self.register_buffer("sizes", torch.tensor(anchors, dtype=torch.float32).view(self.nl, self.na, 2))
        self.m = torch.nn.ModuleList(torch.nn.Conv2d(count, self.na * self.no, 1) for count in channels)

    def forward(self, x: list[torch.Tensor]) -> Any:
        """Features of each scale, finest first -> predictions.

        Returns:
            In training a dictionary: `scales`, for each scale `(B, A, 5 + K + m, h, w)` as the convolution gives them,
            and `feats`, the input. Else `(B, 4 + K + m, N)`: boxes (cx, cy, w, h) in pixels of the input, objectness
            times class probability, coefficients, for N = sum of A h w; with the dictionary, unless it is exported.
        """
        raw = {"scales": [self._split(layer(scale)) for layer, scale in zip(self.m, x, strict=True)], "feats": x}
        if self.training:
            return raw
        decoded = self.decode(raw["scales"])
        return decoded if self.export else (decoded, raw)

    def decode(self, scales: Sequence[torch.Tensor]) -> torch.Tensor:
        """The `scales` of `forward` -> what it returns first, float32."""
        return torch.cat([self._decode(index, scale.float()) for index, scale in enumerate(scales)], dim=2)

    def class_maps(self, raw: dict[str, Any]) -> list[torch.Tensor]:
        """Objectness times class probability, the largest of the anchors: `(B, K, h, w)` for each scale."""
        cells = [scale.float().sigmoid() for scale in raw["scales"]]
        return [(cell[:, :, BOX : BOX + 1] * cell[:, :, BOX + 1 : BOX + 1 + self.nc]).amax(1) for cell in cells]

    def bias_init(self) -> None:
        """Let the head start with few objects and all classes alike."""
        layers: Any = self.m
        for layer, stride in zip(layers, self.stride.tolist(), strict=True):
            bias = layer.bias.detach().view(self.na, self.no)
            bias[:, BOX] += math.log(_OBJECTS_PER_IMAGE / (_IMAGE_SIDE / stride) ** 2)
            bias[:, BOX + 1 : BOX + 1 + self.nc] += math.log(_CLASS_CHANCE / (self.nc - 0.99999))

    def _split(self, output: torch.Tensor) -> torch.Tensor:
        batch, _, height, width = output.shape
        return output.view(batch, self.na, self.no, height, width)

    def _decode(self, index: int, cells: torch.Tensor) -> torch.Tensor:
        batch, _, _, height, width = cells.shape
        rows = torch.arange(height, device=cells.device, dtype=cells.dtype).view(height, 1).expand(height, width)
        columns = torch.arange(width, device=cells.device, dtype=cells.dtype).expand(height, width)
        corner = torch.stack((columns, rows)) - 0.5  # (2, h, w)
        sides = self.sizes[index].float().view(1, self.na, 2, 1, 1)
        given = cells[:, :, : BOX + 1 + self.nc].sigmoid()
        centre = (given[:, :, :2] * 2 + corner) * self.stride[index].float()
        extent = (given[:, :, 2:BOX] * 2) ** 2 * sides
        scores = given[:, :, BOX : BOX + 1] * given[:, :, BOX + 1 :]
        parts = (centre, extent, scores, cells[:, :, BOX + 1 + self.nc :])
        return torch.cat(parts, dim=2).transpose(1, 2).reshape(batch, self.no - 1, self.na * height * width)


class MaskPrototypes(torch.nn.Module):
    """The masks that those of all objects are sums of, at a quarter of the input's sides.

    ultralytics' own scales up by a transposed convolution, this by repeating pixels.

    Args:
        channels: of the finest features.
        hidden: channels in between.
        count: m, the number of prototypes.
    """

    def __init__(self, channels: int, hidden: int, count: int) -> None:
        super().__init__()
        self.cv1 = Conv(channels, hidden, k=3)
        self.upsample = torch.nn.Upsample(scale_factor=2, mode="nearest")
        self.cv2 = Conv(hidden, hidden, k=3)
        self.cv3 = Conv(hidden, count)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(B, C, h, w)` -> `(B, m, 2 h, 2 w)`."""
        prototypes: torch.Tensor = self.cv3(self.cv2(self.upsample(self.cv1(x))))
        return prototypes


class AnchoredSegment(AnchoredDetect):
    """Boxes and masks: each anchor also predicts m coefficients, by which the prototypes are summed.

    Args:
        nc: K, the number of classes.
        count: m, the number of prototypes.
        hidden: channels of the layers that give the prototypes.
        anchors, channels, strides: see `AnchoredDetect`.
    """

    def __init__(
        self,
        nc: int,
        count: int,
        hidden: int,
        anchors: Sequence[Sequence[float]],
        channels: Sequence[int],
        strides: Sequence[float],
    ) -> None:
        self.nm = count  # a plain number, which a module can hold before it is initialised
        super().__init__(nc, anchors, channels, strides)
        self.proto = MaskPrototypes(channels[0], hidden, count)

    def forward(self, x: list[torch.Tensor]) -> Any:
        """See `AnchoredDetect`; `proto`, `(B, m, h, w)`, is in the dictionary too, and beside the predictions."""
        outputs = super().forward(x)
        prototypes = self.proto(x[0])
        if self.training:
            return outputs | {"proto": prototypes}
        if self.export:
            return outputs, prototypes
        return (outputs[0], prototypes), outputs[1] | {"proto": prototypes}
