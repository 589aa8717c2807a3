"""What the tool chain of the RV1126 takes, and what is written about a graph. Needs no torch."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from common.yolo.rv1126 import IR_VERSION, OPSET, check_graph, decoding_of, describe


def graph(operator: str, shape: Sequence[int], **attributes: Any) -> onnx.ModelProto:
    """One operator on a tensor of a shape."""
    ends = [make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("images", "out")]
    node = make_node(operator, ["images"], ["out"], **attributes)
    opsets = [make_opsetid("", OPSET)]
    return make_model(make_graph([node], "g", ends[:1], ends[1:]), ir_version=IR_VERSION, opset_imports=opsets)


def test_a_convolutional_graph_is_taken() -> None:
    check_graph(graph("Sigmoid", [1, 3, 8, 8]))


def test_an_operator_that_the_tool_chain_lacks_is_named() -> None:
    with pytest.raises(ValueError, match="does not know Erf"):
        check_graph(graph("Erf", [1, 3, 8, 8]))


def test_a_tensor_of_five_axes_is_named() -> None:
    with pytest.raises(ValueError, match="out has 5 axes"):
        check_graph(graph("Relu", [1, 3, 2, 8, 8]))


def described(*kinds: str, plain_resize: bool) -> dict[str, Any]:
    """As a reader of the file sees it."""
    outputs = [SimpleNamespace(name=f"{kind}_8", kind=kind, stride=8, shape=(1, 64, 8, 8)) for kind in kinds]
    head = SimpleNamespace(reg_max=16, proto="prototypes" if "prototypes" in kinds else None)
    content = describe(outputs, ["disc", "星"], decoding_of(head), 64, plain_resize=plain_resize)
    text = yaml.safe_dump(content, allow_unicode=True)
    assert "&id" not in text, "no value refers to another one"
    assert yaml.safe_load(text) == content
    return content


def test_the_description_of_a_detector() -> None:
    content = described("box", "cls", plain_resize=True)
    assert content["outputs"][0] == {"name": "box_8", "kind": "box", "stride": 8, "shape": [1, 64, 8, 8]}
    assert (content["input"]["resize"], "pad" in content["input"]) == ("stretch", False)
    assert content["classes"] == ["disc", "星"]
    assert (content["decoding"]["reg_max"], content["decoding"]["conf_thres"]) == (16, 0.25)
    assert "mask" not in content["decoding"]["in_words"]
    assert content["rknn_config"]["target_platform"] == ["rv1126"]


def test_the_description_of_masks_and_of_a_border() -> None:
    content = described("box", "cls", "mask", "prototypes", plain_resize=False)
    assert (content["input"]["resize"], content["input"]["pad"]) == ("letterbox", 114)
    assert "prototypes" in content["decoding"]["in_words"]["mask"]


def test_the_decoding_of_anchors() -> None:
    head = SimpleNamespace(stride=[8.0, 16.0], sizes=np.array([[[10, 13]], [[30, 61]]]))
    numbers, words = decoding_of(head)
    assert numbers == {"anchors": {8: [[10, 13]], 16: [[30, 61]]}}
    assert "mask" not in words
    assert "anchor" in words["box"]
