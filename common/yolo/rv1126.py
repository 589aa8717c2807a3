"""Exports a trained model for Rockchip's RV1126 NPU: a graph that its tool chain converts, and how to use it.

Source: RKNN-Toolkit 1.7 (github.com/rockchip-linux/rknn-toolkit), doc/RKNN_OP_Support_V1.7.1.md: ONNX 1.6.0, that is IR
version 6 and opset 11, and the operators below. RKNN-Toolkit 2 is for other NPUs. As in Rockchip's own exports
(rknn_model_zoo, examples/yolov8), the NPU computes the convolutions, and the processor decodes: that is little work for
the few cells above the threshold, and boxes, classes and masks get a quantisation each.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import yaml

from common.files import write_text
from common.images.letterbox import GREY
from common.yolo.checkpoint import read_weights
from common.yolo.offline import go_offline
from common.yolo.params import YoloInfer

if TYPE_CHECKING:
    from ultralytics.nn.modules.head import Detect

    from common.yolo.raw_outputs import RawOutput

log = logging.getLogger(__name__)

SECTION = "rv1126"
"""Name of the section of result.yaml's attachments."""

GRAPH, DESCRIPTION = "best-rv1126.onnx", "rv1126.yaml"

OPSET, IR_VERSION = 11, 6

MOST_AXES = 4
"""Maximum number of axes of a tensor: batch, channels, height, width."""

OPERATORS = frozenset({
    "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Conv", "ConvTranspose", "DepthToSpace",
    "Div", "Dropout", "Elu", "Exp", "Expand", "Flatten", "Floor", "Gather", "Gemm", "GlobalAveragePool",
    "GlobalMaxPool", "Identity", "InstanceNormalization", "LRN", "LeakyRelu", "Log", "LogSoftmax", "MatMul",
    "MaxPool", "Mul", "PRelu", "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Relu", "Reshape",
    "Resize", "Sigmoid", "Slice", "Softmax", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh",
    "Transpose", "Unsqueeze", "Upsample",
})  # fmt: skip
"""Operators of the document that can occur in a graph of float numbers without recurrence."""

MEAN, STD = (0, 0, 0), (255, 255, 255)
"""The input is (byte - mean) / std."""

PREPARATION = {
    "stretch": "resize to width by height, whatever the aspect ratio, bilinear; RGB; (x - mean) / std",
    "letterbox": "scale the longer side to that of the input, bilinear, keep the aspect ratio; pad the shorter one on "
    "both sides with the value of pad; RGB; (x - mean) / std",
}

BACK = {
    "stretch": "x * image width / input width, y * image height / input height; cut at the sides of the image",
    "letterbox": "less the border, divided by the scale; cut at the sides of the image",
}

DECODING = {
    "cell": "the cell in column x and row y of an output with stride s has its centre at ((x + 0.5) s, (y + 0.5) s)",
    "score": "sigmoid(cls), one per class; the best is score and class of the cell; keep those above conf_thres",
    "box": "the channels are (4, reg_max). Softmax over reg_max, times 0, 1, 2, ..., summed (with reg_max 1: the "
    "channel itself), times s: pixels from the centre to the left, top, right and bottom side",
    "nms": "for each class: drop a box whose IoU with a better one is above iou_thres",
}

MASK_DECODING = {
    "mask": "the channels of mask at the cell of the box times those of prototypes, summed; scaled to the input, "
    "bilinear, and cut by the box: above 0 is the object",
}

ANCHORED_DECODING = {
    "cell": "the channels of an output with stride s are (A, 5 + K), or (A, 5 + K + m) with coefficients of masks, for "
    "the A anchors of its stride and K classes. p is the sigmoid of a channel",
    "score": "p of channel 4 times p of channel 5 + k for class k; the best is the score and the class of the anchor; "
    "keep those above conf_thres",
    "box": "in column x and row y: centre ((2 p0 - 0.5 + x) s, (2 p1 - 0.5 + y) s), width (2 p2)^2 and height (2 p3)^2 "
    "times those of the anchor; pixels",
    "nms": DECODING["nms"],
}

ANCHORED_MASK_DECODING = {
    "mask": "the m channels behind the classes, as they are, times those of prototypes, summed; scaled to the input, "
    "bilinear, and cut by the box: above 0 is the object",
}

CONVERSION = (
    "with RKNN-Toolkit 1.7: rknn.config(**rknn_config); rknn.load_onnx(graph); rknn.build(do_quantization=True, "
    "dataset=...), a text file that names one training image per line, resized like the input. The NPU then takes "
    "bytes: mean and std are in the converted model"
)


def export_rv1126(weights: Path, folder: Path, img_size: int, *, plain_resize: bool) -> list[Path]:
    """Write the graph (`GRAPH`) and its description (`DESCRIPTION`) into a folder.

    Args:
        weights: an ultralytics `.pt` file of a detector or a model of instance segmentation.
        img_size: side of the input in pixels, rounded up to the stride of the model.
        plain_resize: see `YoloTraining`.

    Returns:
        Both files; an empty list where the NPU cannot run the model, and the log says why.
    """
    try:
        return _export(weights, folder, img_size, plain_resize=plain_resize)
    except Exception as error:  # whatever fails here must not cost the model that was trained
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        log.warning("no export for the RV1126: %s", reason)
        return []


def _export(weights: Path, folder: Path, img_size: int, *, plain_resize: bool) -> list[Path]:
    go_offline()
    from common.yolo.raw_outputs import cut, outputs_of, write_graph

    model = read_weights(weights)
    head = model.model[-1]
    model = cut(model)
    stride = int(model.stride.max())
    size = -(-img_size // stride) * stride
    outputs = outputs_of(model, size)
    graph, description = folder / GRAPH, folder / DESCRIPTION
    write_graph(model, outputs, graph, size, OPSET, IR_VERSION)
    check_graph(onnx.load(str(graph)))
    content = describe(outputs, list(model.names.values()), decoding_of(head), size, plain_resize=plain_resize)
    write_text(description, yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))
    return [graph, description]


def check_graph(graph: onnx.ModelProto) -> None:
    """Check that the tool chain can convert a graph.

    Raises:
        ValueError: it has an operator that is not in `OPERATORS`, or a tensor of more than `MOST_AXES` axes.
    """
    unknown = sorted({node.op_type for node in graph.graph.node} - OPERATORS)
    if unknown:
        raise ValueError(f"its tool chain does not know {', '.join(unknown)}")
    inferred = onnx.shape_inference.infer_shapes(graph).graph
    for value in [*inferred.value_info, *inferred.output]:
        axes = len(value.type.tensor_type.shape.dim)
        if axes > MOST_AXES:
            raise ValueError(f"{value.name} has {axes} axes; its tool chain takes {MOST_AXES}")


Decoding = tuple[dict[str, object], dict[str, str]]
"""Rules to turn the outputs of a head into boxes, scores and masks: numbers, and words."""


def decoding_of(head: "Detect") -> Decoding:
    """The decoding of a `Detect` or `Segment` head, or of an anchored one."""
    masks = getattr(head, "proto", None) is not None
    if hasattr(head, "sizes"):
        anchors = {int(stride): sizes.tolist() for stride, sizes in zip(head.stride, head.sizes, strict=True)}
        return {"anchors": anchors}, ANCHORED_DECODING | (ANCHORED_MASK_DECODING if masks else {})
    return {"reg_max": head.reg_max}, DECODING | (MASK_DECODING if masks else {})


def describe(
    outputs: Sequence["RawOutput"], classes: Sequence[str], decoding: Decoding, size: int, *, plain_resize: bool
) -> dict[str, object]:
    """Describe, as plain values, how a program on the device uses the graph: before it, after it, and the conversion.

    Args:
        outputs: of the graph.
        classes: names by class index.
        decoding: of the outputs.
        size: side of the input in pixels.
        plain_resize: see `YoloTraining`.
    """
    resize = "stretch" if plain_resize else "letterbox"
    numbers, words = decoding
    thresholds = {name: YoloInfer.model_fields[name].default for name in ("conf_thres", "iou_thres")}
    return {
        "graph": GRAPH,
        "input": {
            "name": "images",
            "shape": [1, 3, size, size],
            "color": "RGB",
            "mean": list(MEAN),
            "std": list(STD),
            "resize": resize,
            **({} if plain_resize else {"pad": GREY}),
            "in_words": PREPARATION[resize],
        },
        "outputs": [
            {"name": out.name, "kind": out.kind, "stride": out.stride, "shape": list(out.shape)} for out in outputs
        ],
        "decoding": {
            **numbers,
            **thresholds,
            "in_words": words | {"back": BACK[resize]},
        },
        "classes": list(classes),
        "rknn_config": {
            "target_platform": ["rv1126"],
            "mean_values": [list(MEAN)],
            "std_values": [list(STD)],
            "reorder_channel": "0 1 2",
            "quantized_dtype": "asymmetric_affine-u8",
        },
        "rknn_in_words": CONVERSION,
    }
