"""Exports a trained YOLO as an ONNX graph that ends at the last convolutions of its head: not decoded, without NMS."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import onnxruntime
import torch
from ultralytics.nn.modules.head import Detect, Segment26

from common.yolo.anchored.head import AnchoredDetect

if TYPE_CHECKING:
    from ultralytics.nn.tasks import DetectionModel


@dataclass(frozen=True, slots=True)
class RawOutput:
    """One output of the graph.

    Attributes:
        name: name of the tensor, such as `box_8`.
        kind: box, cls, mask (the coefficients of an object's mask), anchors (all three for each anchor in turn), or
            prototypes.
        stride: pixels of the input per cell.
        shape: `(1, channels, height / stride, width / stride)`.
    """

    name: str
    kind: str
    stride: int
    shape: tuple[int, ...]


class RawHead(torch.nn.Module):
    """Replaces a `Detect` or `Segment` head: gives the outputs of its branches at each scale, then the prototypes.

    A head that is trained both with and without the need for NMS gives the branches that need it, as in inference.
    """

    def __init__(self, head: Detect) -> None:
        super().__init__()
        self.f, self.i = head.f, head.i  # by these the model finds the layers that are the input
        self.branches = torch.nn.ModuleDict({name.removesuffix("_head"): b for name, b in head.one2many.items()})
        self.prototypes = getattr(head, "proto", None)
        self.reg_max: int = head.reg_max
        self._all_scales = isinstance(head, Segment26)

    def forward(self, scales: list[torch.Tensor]) -> dict[str, list[torch.Tensor]]:
        """Turn features of each scale, finest first, into `(B, channels, h, w)` by kind and scale."""
        found = {}
        for kind, branch in self.branches.items():
            assert isinstance(branch, torch.nn.ModuleList)
            found[kind] = [layers(scale) for layers, scale in zip(branch, scales, strict=True)]
        if self.prototypes is not None:
            found["prototypes"] = [self.prototypes(scales if self._all_scales else scales[0])]
        return found


class RawAnchoredHead(torch.nn.Module):
    """Replaces an anchored head: gives the output of its convolution at each scale, then the prototypes."""

    def __init__(self, head: AnchoredDetect) -> None:
        super().__init__()
        self.f, self.i = head.f, head.i
        self.m = head.m
        self.prototypes = getattr(head, "proto", None)

    def forward(self, scales: list[torch.Tensor]) -> dict[str, list[torch.Tensor]]:
        """See `RawHead`."""
        found = {"anchors": [layer(scale) for layer, scale in zip(self.m, scales, strict=True)]}
        if self.prototypes is not None:
            found["prototypes"] = [self.prototypes(scales[0])]
        return found


class PlainHardswish(torch.nn.Module):
    """Hardswish by operators that opset 11 has. torch would write HardSigmoid, which RKNN-Toolkit does not take."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As `torch.nn.Hardswish`."""
        return x * torch.clamp(x + 3, 0, 6) / 6


def cut(model: "DetectionModel") -> "DetectionModel":
    """Put `RawHead` or `RawAnchoredHead` in the place of the head, ready for tracing. The model itself is changed.

    Args:
        model: an ultralytics model with a `Detect` or `Segment` head, or an anchored one.

    Raises:
        TypeError: the head is of another kind, which has no raw outputs.
    """
    head = model.model[-1]
    if not isinstance(head, Detect):
        raise TypeError(f"the head {type(head).__name__} does not end in convolutions")
    head.end2end = False
    model = model.float().eval().fuse(verbose=False)
    model.model[-1] = RawAnchoredHead(head) if isinstance(head, AnchoredDetect) else RawHead(head)
    for module in model.modules():
        if hasattr(module, "forward_split"):
            module.forward = module.forward_split  # otherwise tracing writes the arithmetic of torch.chunk
        if isinstance(getattr(module, "act", None), torch.nn.Hardswish):
            module.act = PlainHardswish()
    return model


@torch.inference_mode()
def outputs_of(model: "DetectionModel", size: int) -> list[RawOutput]:
    """Outputs of a model that was `cut`, in the order of the graph, for an input of `size` by `size` pixels."""
    found = model(torch.zeros(1, 3, size, size))
    outputs = []
    for kind, tensors in found.items():
        for tensor in tensors:
            stride = size // tensor.shape[-1]
            name = kind if kind == "prototypes" else f"{kind}_{stride}"
            outputs.append(RawOutput(name, kind, stride, tuple(tensor.shape)))
    return outputs


def write_graph(
    model: "DetectionModel", outputs: Sequence[RawOutput], path: Path, size: int, opset: int, ir_version: int
) -> None:
    """Write the graph of a model that was `cut`: input `images` (1, 3, S, S) float32, every shape fixed.

    onnxruntime folds constants, so that no arithmetic of shapes and no Constant or Identity is left.

    Args:
        outputs: see `outputs_of`.
        size: S.
        opset, ir_version: of the file.
    """
    traced, folded = path.with_suffix(".traced.onnx"), path.with_suffix(".folded.onnx")
    names = [output.name for output in outputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's warnings while it traces are about its own operators
        torch.onnx.export(
            model,
            (torch.zeros(1, 3, size, size),),
            str(traced),
            opset_version=opset,
            input_names=["images"],
            output_names=names,
            dynamo=False,  # the exporter with dynamo starts at opset 18
        )
    _fold(traced, folded)
    content = onnx.load(str(folded))
    content.ir_version = ir_version
    for other in [entry for entry in content.opset_import if entry.domain]:
        content.opset_import.remove(other)  # onnxruntime lists all domains that it knows
    onnx.save(content, str(path))
    for temporary in (traced, folded):
        temporary.unlink()


def _fold(source: Path, target: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(
        str(source),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["Pad_Fusion"],  # it pads a MaxPool with -inf instead of 0
    )
