"""What is attached for the RV1126: raw outputs from which numpy gets the boxes and masks of the model."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import yaml
from lively import build
from npu import Found, back, detect, overlap, prepare
from sober import sober_detector, with_activation
from tasks import NAMES

from common.yolo.checkpoint import read_weights
from common.yolo.rv1126 import DESCRIPTION, GRAPH, IR_VERSION, OPERATORS, OPSET, export_rv1126
from workbench.sample import Sample

TOP = 20
"""So many of the best boxes are compared: of those near the threshold, rounding decides."""


@pytest.fixture(scope="module")
def image(samples: list[Sample]) -> np.ndarray:
    """`(192, 256, 3)`."""
    return next(sample.image for sample in samples if sample.image.shape == (192, 256, 3))


def reference(weights: Path, pixels: np.ndarray, *, conf: float, iou: float) -> Found:
    """What ultralytics gets from the same input, in pixels of the input."""
    from ultralytics.utils.nms import non_max_suppression
    from ultralytics.utils.ops import process_mask

    model = read_weights(weights).eval()
    model.model[-1].end2end = False
    with torch.inference_mode():
        output = model(torch.from_numpy(pixels))[0]
        output, prototypes = output if isinstance(output, tuple) else (output, None)
        rows = non_max_suppression(output, conf, iou, nc=len(NAMES), max_time_img=float("inf"))[0]
        masks = None
        if prototypes is not None:
            masks = process_mask(prototypes[0], rows[:, 6:], rows[:, :4], pixels.shape[2:], upsample=True).numpy() > 0
    return Found(rows[:, :4].numpy(), rows[:, 4].numpy(), rows[:, 5].numpy().astype(int), masks)


def assert_same(found: Found, expected: Found) -> list[int]:
    """The best boxes are there, each with its class and score. Returns which they are."""
    assert len(found.boxes) >= 3
    partners = []
    for box, score, kind in list(zip(expected.boxes, expected.scores, expected.classes, strict=True))[:TOP]:
        alike = np.where(found.classes == kind, overlap(box, found.boxes), 0)
        partners.append(int(alike.argmax()))
        assert alike.max() > 0.99
        assert found.scores[partners[-1]] == pytest.approx(score, abs=1e-3)
    return partners


def exported(weights: Path, *, plain_resize: bool, size: int = 64) -> Path:
    files = export_rv1126(weights, weights.parent, size, plain_resize=plain_resize)
    assert [path.name for path in files] == [GRAPH, DESCRIPTION]
    assert {path.name for path in weights.parent.iterdir()} == {weights.name, GRAPH, DESCRIPTION}
    return weights.parent


MODELS = ["yolov5n", "yolov5n6", "yolov5n-seg", "yolov5nu", "yolov10n", "yolo11n", "yolo26n", "yolov8n-seg"]
"""Three scales and four; with and without anchors; heads trained with and without NMS; attention; no bins; masks."""

ACTIVATIONS = ["Hardswish", "ReLU", "LeakyReLU"]


@pytest.mark.parametrize(
    ("name", "activation"),
    [*((name, "SiLU") for name in MODELS), *(("yolov5n", activation) for activation in ACTIVATIONS)],
)
def test_numpy_gets_the_boxes_of_the_model(
    name: str, activation: str, image: np.ndarray, samples: list[Sample], tmp_path: Path
) -> None:
    weights = sober_detector(name, NAMES, samples, tmp_path / "best.pt", activation)
    plain_resize = not name.endswith("-seg")
    folder = exported(weights, plain_resize=plain_resize)
    text = yaml.safe_load((folder / DESCRIPTION).read_text(encoding="utf-8"))
    pixels, scale, border = prepare(image, text["input"])
    assert border.tolist() == ([0, 0] if plain_resize else [0, 8])
    expected = reference(weights, pixels, conf=text["decoding"]["conf_thres"], iou=text["decoding"]["iou_thres"])
    found = detect(folder, image)
    on_image = replace(expected, boxes=back(expected.boxes, scale, border))
    partners = assert_same(found, on_image)
    if expected.masks is not None:
        assert ((expected.masks.mean((1, 2)) > 0.1) & (expected.masks.mean((1, 2)) < 0.8)).sum() >= 3
        assert (found.masks[partners] == expected.masks[:TOP]).mean() > 0.999


OUTPUTS = {
    "yolov5n": {f"anchors_{stride}": [1, 3 * (5 + 3), 96 // stride, 96 // stride] for stride in (8, 16, 32)},
    "yolov5nu": {
        **{f"box_{stride}": [1, 64, 96 // stride, 96 // stride] for stride in (8, 16, 32)},
        **{f"cls_{stride}": [1, 3, 96 // stride, 96 // stride] for stride in (8, 16, 32)},
    },
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_graph_is_one_that_the_tool_chain_takes(name: str, image: np.ndarray, tmp_path: Path) -> None:
    torch.save({"model": build(name, 3), "train_args": {}}, tmp_path / "best.pt")
    graph = onnx.load(str(exported(tmp_path / "best.pt", plain_resize=True, size=70) / GRAPH))
    onnx.checker.check_model(graph)
    assert (graph.ir_version, [(entry.domain, entry.version) for entry in graph.opset_import]) == (6, [("", 11)])
    assert (OPSET, IR_VERSION) == (11, 6)
    assert {node.op_type for node in graph.graph.node} <= OPERATORS
    shapes = {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*graph.graph.input, *graph.graph.output)
    }
    assert shapes == {"images": [1, 3, 96, 96], **OUTPUTS[name]}  # 70 rounded up to the stride
    producers = {name: node.op_type for node in graph.graph.node for name in node.output}
    assert {producers[value.name] for value in graph.graph.output} == {"Conv"}


@pytest.mark.parametrize(
    ("weights_of", "reason"),
    [
        (lambda path: saved(with_activation("GELU", build("yolov5n", 3)), path), "does not know Erf"),
        (lambda path: saved(build("yolov3-tiny", 3), path), "does not know Pad"),
        (lambda path: saved(build("rtdetr-l", 3), path), "RTDETRDecoder does not end in convolutions"),
    ],
)
def test_what_the_tool_chain_cannot_take_is_said_and_left_out(
    weights_of: object, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert export_rv1126(weights_of(tmp_path / "best.pt"), tmp_path, 64, plain_resize=True) == []
    assert "no export for the RV1126" in caplog.text
    assert reason in caplog.text


def saved(model: torch.nn.Module, path: Path) -> Path:
    torch.save({"model": model, "train_args": {}}, path)
    return path
