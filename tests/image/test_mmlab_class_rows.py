"""Outputs of classes that the weights and the task both know keep their weights, in every kind of head."""

from pathlib import Path

import pytest
import torch

from common.mmlab.fit.classes import set_classes
from common.mmlab.fit.config import load_config, plain_batch_norm
from common.mmlab.model.build import build_model
from common.mmlab.model.checkpoint import Weights
from common.mmlab.model.class_rows import Layout, keep_classes, layouts
from common.mmlab.patches.compat import prepare
from common.mmseg.classes import set_classes as set_map_classes

KNOWN, WANTED = ("disc", "bar", "cross"), ("cross", "ring", "Disc", "star")
DETECTORS = {
    "mmyolo:yolov5/yolov5_n-v61_syncbn_fast_8xb16-300e_coco.py": {Layout(3, 5, False)},
    "mmyolo:yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py": {Layout(1, 0, False)},
    "mmyolo:rtmdet/rtmdet_tiny_syncbn_fast_8xb32-300e_coco.py": {Layout(1, 0, False)},
    "mmdet:yolox/yolox_tiny_8xb8-300e_coco.py": {Layout(1, 0, False)},
    "mmdet:retinanet/retinanet_r18_fpn_1x_coco.py": {Layout(9, 0, False)},
    "mmdet:faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py": {Layout(1, 1, False), Layout(4, 0, True)},
}


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    for package in ("mmyolo", "mmseg"):
        prepare(package)


@pytest.mark.parametrize("name", DETECTORS)
def test_rows_of_common_classes_are_kept_and_the_others_are_the_models_own(name: str) -> None:
    package, _, key = name.partition(":")
    config = load_config(package, key)
    plain_batch_norm(config)
    set_classes(config, len(WANTED))
    old = load_config(package, key)
    plain_batch_norm(old)
    set_classes(old, len(KNOWN))
    given = build_model(old, package).state_dict()
    own = build_model(config, package).state_dict()
    found = layouts(config, len(WANTED), set_classes)
    assert set(found.values()) == DETECTORS[name]
    weights = Weights(Path("best.pth"), given, None, KNOWN, "")
    state = keep_classes(weights, own, config, WANTED, set_classes).state_dict
    assert {each: tensor.shape for each, tensor in state.items()} == {
        each: tensor.shape for each, tensor in own.items()
    }
    for each, layout in found.items():
        before, after, fresh = (
            t[i]
            for t, i in zip(
                (given[each], state[each], own[each]),
                (layout.index(len(KNOWN)), layout.index(len(WANTED)), layout.index(len(WANTED))),
                strict=True,
            )
        )
        others = layout.others
        assert torch.equal(after[:, :others], before[:, :others])  # background, or box and objectness
        assert torch.equal(after[:, others + 0], before[:, others + 2])  # cross
        assert torch.equal(after[:, others + 2], before[:, others + 0])  # disc, in another case
        for new in (1, 3):
            assert torch.equal(after[:, others + new], fresh[:, others + new])


def test_a_semantic_model_keeps_the_rows_of_its_classes() -> None:
    config = load_config("mmseg", "fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024.py")
    plain_batch_norm(config)
    set_map_classes(config, 4)
    assert set(layouts(config, 4, set_map_classes).values()) == {Layout(1, 0, False)}


def test_weights_for_the_same_classes_stay_as_they_are() -> None:
    weights = Weights(Path("best.pth"), {}, None, KNOWN, "")
    config = load_config("mmdet", "yolox/yolox_tiny_8xb8-300e_coco.py")
    assert keep_classes(weights, {}, config, KNOWN, set_classes) is weights
