"""An anchored YOLOv5 as a model of ultralytics: built from a configuration, trained, fused and exported as its own."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import torch
import yaml
from ultralytics.nn.tasks import DetectionModel
from ultralytics.utils.torch_utils import initialize_weights

from common.weights.classes import match_classes
from common.yolo.anchored.anchors import ANCHORS
from common.yolo.anchored.head import BOX, AnchoredDetect, AnchoredSegment
from common.yolo.anchored.layers import activated, build_layers, multiples, scaled_channels
from common.yolo.anchored.loss import AnchoredLoss, AnchoredMaskLoss

DETECT: Final = "AnchoredDetect"
SEGMENT: Final = "AnchoredSegment"
"""Names of the heads in the last row of a configuration: [nc, anchors], and [nc, m, hidden channels, anchors]."""

_PROBE = 256
"""Side in pixels of the input that channels and strides of the features are measured with."""


def anchored(configuration: Mapping[str, Any], *, masks: bool) -> dict[str, Any]:
    """The configuration of the anchored model that has the backbone and neck of another one.

    Args:
        configuration: of a model of ultralytics with a `Detect` head on three or four scales.
        masks: whether the model finds masks too.
    """
    rows = deepcopy(configuration["head"])
    inputs = rows[-1][0]
    head = [SEGMENT, ["nc", 32, 256, "anchors"]] if masks else [DETECT, ["nc", "anchors"]]
    rows[-1] = [inputs, 1, *head]
    anchors = [list(scale) for scale in ANCHORS[len(inputs)]]
    return {**deepcopy(dict(configuration)), "head": rows, "anchors": anchors}


class _Inputs(torch.nn.Module):
    """Stands in the place of a head and gives its input."""

    def forward(self, x: list[torch.Tensor]) -> list[torch.Tensor]:
        return x


class AnchoredModel(DetectionModel):  # type: ignore[misc]  # ultralytics is untyped
    """An anchored YOLOv5.

    Args:
        cfg: the configuration, or the path of its file.
        ch: channels of the input.
        nc: number of classes, if not that of the configuration.
        verbose: has no effect; ultralytics' models take it.

    Raises:
        ValueError: the configuration has a layer that is not known.
    """

    model: torch.nn.Sequential
    names: dict[int, str]
    stride: torch.Tensor

    def __init__(
        self, cfg: Mapping[str, Any] | str | Path, ch: int = 3, nc: int | None = None, verbose: bool = False
    ) -> None:
        torch.nn.Module.__init__(self)
        self.yaml: dict[str, Any] = deepcopy(dict(cfg)) if isinstance(cfg, Mapping) else _read(Path(cfg))
        self.yaml |= {"channels": ch, "nc": nc or self.yaml["nc"]}
        self.names = {index: str(index) for index in range(self.yaml["nc"])}
        self.inplace = True
        inputs, _, kind, arguments = self.yaml["head"][-1]
        layers = build_layers(self.yaml, ch)
        self.save = sorted({each % layer.i for layer in layers for each in _all(layer.f) if each != -1} | set(inputs))
        self.model = torch.nn.Sequential(*layers, self._placed(_Inputs(), inputs, len(layers)))
        features = self._features(ch)
        with activated(self.yaml):
            head = self._head(kind, arguments, features)
        head.bias_init()
        self.model[-1] = self._placed(head, inputs, len(layers))
        self.stride = head.stride
        initialize_weights(self)

    def init_criterion(self) -> AnchoredLoss:
        """The loss. See `DetectionModel`."""
        return AnchoredMaskLoss(self) if isinstance(self.model[-1], AnchoredSegment) else AnchoredLoss(self)

    def set_anchors(self, sizes: torch.Tensor) -> None:
        """Give the head other anchors: `(L, A, 2)` widths and heights in pixels of the input."""
        head: Any = self.model[-1]
        head.sizes.copy_(sizes)
        self.yaml["anchors"] = sizes.flatten(1).tolist()

    @torch.no_grad()
    def load(self, weights: Any, verbose: bool = True) -> None:
        """Take the tensors of another model that fit, and for each class the outputs of the one with the same name.

        Args:
            weights: a model of ultralytics.
            verbose: has no effect; ultralytics' models take it.
        """
        given: dict[str, torch.Tensor] = weights.float().state_dict()
        own = self.state_dict()
        head: Any = self.model[-1]
        other = weights.model[-1]
        for name, tensor in own.items():
            if name in given and given[name].shape == tensor.shape and not name.startswith(f"model.{head.i}.m."):
                tensor.copy_(given[name])
        if isinstance(other, AnchoredDetect) and (other.na, other.nl) == (head.na, head.nl):
            matches = match_classes(list(weights.names.values()), list(self.names.values()))
            layers: tuple[Any, Any] = (other.m, head.m)
            for source, target in zip(*layers, strict=True):
                if source.in_channels == target.in_channels:
                    _take_rows(source, target, other, head, matches)
        self.yaml["anchors"] = head.sizes.flatten(1).tolist()
        self.pt_path = getattr(weights, "pt_path", None)

    @staticmethod
    def _placed(module: Any, inputs: list[int], index: int) -> Any:
        module.i, module.f, module.type = index, inputs, type(module).__name__
        return module

    @torch.no_grad()
    def _features(self, channels: int) -> list[torch.Tensor]:
        """Features that the head is given for an input of `_PROBE` by `_PROBE` pixels."""
        self.model.eval()  # else the statistics of batch normalisation would change
        features: list[torch.Tensor] = self._predict_once(torch.zeros(1, channels, _PROBE, _PROBE))
        self.model.train()
        return features

    def _head(self, kind: str, arguments: Sequence[Any], features: Sequence[torch.Tensor]) -> AnchoredDetect:
        classes, anchors = self.yaml["nc"], self.yaml["anchors"]
        channels = [feature.shape[1] for feature in features]
        strides = [_PROBE / feature.shape[-1] for feature in features]
        if kind == SEGMENT:
            hidden = scaled_channels(arguments[2], multiples(self.yaml)[1])
            return AnchoredSegment(classes, arguments[1], hidden, anchors, channels, strides)
        return AnchoredDetect(classes, anchors, channels, strides)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def _all(inputs: int | Sequence[int]) -> Sequence[int]:
    return [inputs] if isinstance(inputs, int) else inputs


def _take_rows(
    source: torch.nn.Conv2d,
    target: torch.nn.Conv2d,
    other: AnchoredDetect,
    head: AnchoredDetect,
    matches: Sequence[int | None],
) -> None:
    """Copy the outputs of a convolution of the head that mean the same in both models.

    Args:
        source, target: the convolutions.
        other, head: their heads.
        matches: for each class of the target its index in the source, or None.
    """
    known = [(index, match) for index, match in enumerate(matches) if match is not None]
    rows, wanted = list(range(BOX + 1)), list(range(BOX + 1))
    wanted += [BOX + 1 + index for index, _ in known]
    rows += [BOX + 1 + match for _, match in known]
    if head.nm == other.nm:
        wanted += range(head.no - head.nm, head.no)
        rows += range(other.no - other.nm, other.no)
    assert source.bias is not None
    assert target.bias is not None
    for given, own in ((source.weight, target.weight), (source.bias, target.bias)):
        per_anchor = (head.na, head.no, *own.shape[1:])
        own.view(per_anchor)[:, wanted] = given.view(other.na, other.no, *own.shape[1:])[:, rows].to(own)
