"""The anchored models: those of the seed's table, their loss, and their export."""

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import plain_yolov5
import pytest
import torch
from torch.nn import functional

from common.yolo.anchored.head import AnchoredSegment
from common.yolo.anchored.layers import activation
from common.yolo.anchored.model import AnchoredModel, anchored
from common.yolo.export import export_onnx
from common.yolo.offline import go_offline
from common.yolo.predictor import Settings, YoloPredictor

go_offline()

from ultralytics.nn.tasks import yaml_model_load  # noqa: E402  # not before `go_offline`

SEED = {"n": 1.9, "s": 7.2, "m": 21.2, "l": 46.5, "x": 86.7, "n6": 3.2, "s6": 12.6, "m6": 35.7, "l6": 76.8, "x6": 140.7}
"""Millions of parameters for 80 classes, in the seed's table. It has those of s6 in the column of the FLOPs; x6 is from
the table of YOLOv5 v6."""

MASKS = {"n-seg": 2.0, "s-seg": 7.6, "m-seg": 22.0, "l-seg": 47.9, "x-seg": 88.8}
"""Those of YOLOv5 v7.0."""

COUNTS = {"n": 1_872_157, "s": 7_235_389}
"""Known to the last one."""


def small(classes: int = 4, *, masks: bool = False) -> AnchoredModel:
    torch.manual_seed(0)
    return AnchoredModel(anchored(yaml_model_load("yolov5n.yaml"), masks=masks), nc=classes)


@pytest.mark.parametrize(("name", "millions"), [*SEED.items(), *MASKS.items()])
def test_the_models_have_the_parameters_of_the_seed(name: str, millions: float) -> None:
    stem = name.removesuffix("-seg").replace("6", "-p6")
    model = AnchoredModel(anchored(yaml_model_load(f"yolov5{stem}.yaml"), masks=name.endswith("-seg")))
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count / 1e6 == pytest.approx(millions, rel=0.01, abs=0.05)  # the table rounds
    assert count == COUNTS.get(name, count)


@pytest.mark.parametrize("text", ["torch.nn.SiLU()", "nn.LeakyReLU(0.1)", "torch.nn.Hardswish()"])
def test_activations_are_looked_up(text: str) -> None:
    assert type(activation(text)).__name__ in text


@pytest.mark.parametrize(
    "text", ["print()", "torch.nn.Linear()", "torch.nn.SiLU(print('x'))", "torch.nn.SiLU", "__import__('os')"]
)
def test_nothing_else_is_evaluated(text: str) -> None:
    with pytest.raises(ValueError, match="is not one of"):
        activation(text)


def objects() -> list[tuple[int, int, np.ndarray]]:
    """Boxes of many shapes: at the sides of the image, several in one cell, one that no anchor fits."""
    random = np.random.default_rng(0)
    centres, sides = random.uniform(0.05, 0.95, (14, 2)), random.uniform(0.05, 0.6, (14, 2))
    boxes = [*np.hstack((centres, sides)), np.array([0.999, 0.001, 0.2, 0.3]), np.array([0.5, 0.5, 0.9, 0.003])]
    boxes += [np.array([0.40, 0.41, 0.2, 0.2]), np.array([0.41, 0.40, 0.22, 0.2])]
    return [(i % 2, i % 4, box.astype(np.float32)) for i, box in enumerate(boxes)]


def batch_of(found: list[tuple[int, int, np.ndarray]]) -> dict[str, torch.Tensor]:
    return {
        "batch_idx": torch.tensor([image for image, _, _ in found]).float(),
        "cls": torch.tensor([[kind] for _, kind, _ in found]).float(),
        "bboxes": torch.tensor(np.stack([box for _, _, box in found])) if found else torch.zeros(0, 4),
    }


def raw_scales(model: AnchoredModel, images: int = 2) -> list[torch.Tensor]:
    head = model.model[-1]
    shapes = [(12, 8), (6, 4), (3, 2)]
    return [torch.randn(images, head.na, head.no, h, w, requires_grad=True) for h, w in shapes]


def arguments(**more: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"box": 0.05, "cls": 0.5, "imgsz": 96, "overlap_mask": False, **more})


@pytest.mark.parametrize("count", [18, 1, 0])
def test_the_loss_is_that_of_the_formulas(count: int) -> None:
    model = small()
    model.args = arguments()
    scales, found = raw_scales(model), objects()[:count]
    total, parts = model.init_criterion()({"scales": scales}, batch_of(found))
    head = model.model[-1]
    plain = plain_yolov5.loss([scale.detach().numpy() for scale in scales], head.sizes.numpy(), found)
    expected = {
        "box_loss": plain["box"] * 0.05,
        "obj_loss": plain["obj"] * (96 / 640) ** 2,
        "cls_loss": plain["cls"] * 0.5 * 4 / 80,
    }
    assert {name: value.item() for name, value in parts.items()} == pytest.approx(expected, rel=1e-4)
    assert total.sum().item() == pytest.approx(2 * sum(expected.values()), rel=1e-4)
    total.sum().backward()
    assert all(torch.isfinite(scale.grad).all() for scale in scales)


def test_one_class_is_not_learned() -> None:
    model = small(1)
    model.args = arguments()
    _, parts = model.init_criterion()(
        {"scales": raw_scales(model)}, batch_of([(0, 0, np.float32([0.5, 0.5, 0.3, 0.3]))])
    )
    assert parts["cls_loss"] == 0
    assert parts["box_loss"] > 0


def test_the_gains_follow_the_number_of_scales() -> None:
    torch.manual_seed(0)
    model = AnchoredModel(anchored(yaml_model_load("yolov5n-p6.yaml"), masks=False), nc=8)
    model.args = arguments(imgsz=1280)
    gains = model.init_criterion().gains
    assert (gains.box, gains.objectness, gains.classes) == pytest.approx((0.05 * 3 / 4, 4 * 3 / 4, 0.5 * 0.1 * 3 / 4))


@pytest.mark.parametrize("overlapping", [False, True])
def test_the_loss_of_masks_is_that_of_the_formulas(overlapping: bool) -> None:
    model = small(masks=True)
    model.args = arguments(overlap_mask=overlapping)
    found = sorted(objects()[:10], key=lambda each: each[0])
    scales = raw_scales(model)
    prototypes = torch.randn(2, 32, 24, 16)
    owners = torch.randint(0, 6, (2, 24, 16))
    first = [image for image, _, _ in found].index(1)
    masks = torch.stack([owners[image] == (i - first * image) + 1 for i, (image, _, _) in enumerate(found)]).float()
    batch = batch_of(found) | {"masks": owners if overlapping else masks}
    _, parts = model.init_criterion()({"scales": scales, "proto": prototypes}, batch)
    sizes = model.model[-1].sizes.numpy()
    numbers = [scale.detach().numpy() for scale in scales]
    plain = plain_yolov5.loss(numbers, sizes, found, prototypes.numpy(), masks.numpy())
    assert parts["seg_loss"].item() == pytest.approx(plain["seg"] * 0.05 / 2, rel=1e-4)
    assert list(parts) == ["box_loss", "seg_loss", "obj_loss", "cls_loss"]
    assert parts["cls_loss"].item() == pytest.approx(plain["cls"] * 0.5 * 4 / 80, rel=1e-4)


def test_masks_without_an_object_have_no_loss_but_a_gradient() -> None:
    model = small(masks=True)
    model.args = arguments()
    prototypes = torch.randn(2, 32, 24, 16, requires_grad=True)
    batch = batch_of([]) | {"masks": torch.zeros(0, 24, 16)}
    total, parts = model.init_criterion()({"scales": raw_scales(model), "proto": prototypes}, batch)
    total.sum().backward()
    assert parts["seg_loss"] == 0
    assert (prototypes.grad == 0).all()


def test_class_maps_are_the_largest_of_the_anchors() -> None:
    head = small(3).model[-1]
    scale = torch.randn(1, head.na, head.no, 2, 5)
    (found,) = head.class_maps({"scales": [scale]})
    chances = functional.sigmoid(scale).numpy()
    for kind in range(3):
        for y in range(2):
            for x in range(5):
                expected = max(chances[0, a, 4, y, x] * chances[0, a, 5 + kind, y, x] for a in range(3))
                assert found[0, kind, y, x].item() == pytest.approx(expected, rel=1e-5)


def saved(model: AnchoredModel, path: Path) -> Path:
    model.task = "segment" if isinstance(model.model[-1], AnchoredSegment) else "detect"
    for layer in model.model[-1].m:
        layer.weight.data *= 20
    torch.save({"model": model, "train_args": {"task": model.task, "imgsz": 64}}, path)
    return path


@pytest.mark.parametrize(("masks", "opset"), [(False, 11), (False, 17), (True, 11)])
def test_onnx_gives_the_boxes_of_torch(masks: bool, opset: int, tmp_path: Path) -> None:
    model = small(masks=masks)
    path = export_onnx(saved(model, tmp_path / "best.pt"), 64, opset)
    assert onnx.load(str(path)).opset_import[0].version == opset
    pixels = torch.rand(1, 3, 64, 64)
    model.eval()
    with torch.inference_mode():
        found = model(pixels)[0]
    expected = found if masks else (found,)
    given = onnxruntime.InferenceSession(str(path)).run(None, {"images": pixels.numpy()})
    assert len(given) == len(expected)
    for ours, theirs in zip(given, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-3, atol=1e-4)


def test_fusing_changes_nothing() -> None:
    model = small().eval()
    pixels = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        before = model(pixels)[0]
        fused = model.fuse(verbose=False)
        assert fused.is_fused()
        torch.testing.assert_close(fused(pixels)[0], before, rtol=1e-3, atol=1e-3)


def test_outputs_of_classes_are_taken_by_name() -> None:
    old, new = small(4), small(3)
    old.names, new.names = dict(enumerate(["Cat", "dog", "cow", "hen"])), dict(enumerate(["hen", "fox", "cat"]))
    with torch.no_grad():
        for number, layer in enumerate(old.model[-1].m):
            layer.bias.copy_(torch.arange(layer.bias.numel()) + 100 * number)
    fresh = [layer.bias.detach().clone() for layer in new.model[-1].m]
    new.load(old)
    for before, source, target in zip(fresh, old.model[-1].m, new.model[-1].m, strict=True):
        known, ours, start = (bias.detach().view(3, -1) for bias in (source.bias, target.bias, before))
        torch.testing.assert_close(ours[:, :5], known[:, :5])
        torch.testing.assert_close(ours[:, 5], known[:, 5 + 3])
        torch.testing.assert_close(ours[:, 6], start[:, 6])
        torch.testing.assert_close(ours[:, 7], known[:, 5])


def test_a_model_with_masks_takes_the_boxes_of_a_detector() -> None:
    old, new = small(2), small(2, masks=True)
    old.names = new.names = {0: "a", 1: "b"}
    new.load(old)
    source, target = old.model[-1].m[0], new.model[-1].m[0]
    torch.testing.assert_close(target.weight.view(3, 39, -1)[:, :7], source.weight.view(3, 7, -1))
    torch.testing.assert_close(new.model[0].conv.weight, old.model[0].conv.weight)


def test_each_detection_has_the_coefficients_of_its_own_anchor() -> None:
    model = small(3, masks=True).eval()
    for layer in model.model[-1].m:
        layer.weight.data *= 20
        layer.bias.data.zero_()
    predictor = YoloPredictor(copy.deepcopy(model), torch.device("cpu"), Settings(img_size=64, conf_thres=0.01))
    pixels = np.random.default_rng(0).integers(0, 255, (1, 64, 96, 3), dtype=np.uint8)
    prediction = predictor.predict(pixels, class_maps=True)[0]
    with torch.inference_mode():
        (output, _), _ = model(torch.from_numpy(pixels[..., ::-1].copy()).permute(0, 3, 1, 2).float() / 255)
    rows = output[0].T.numpy()
    assert prediction.masks is not None
    assert len(prediction.detections) > 3
    pairs = zip(prediction.detections.probabilities, prediction.masks.coefficients, strict=True)
    for probabilities, coefficients in pairs:
        own = np.abs(rows[:, 4:7] - probabilities).sum(1).argmin()
        np.testing.assert_allclose(rows[own, 7:], coefficients, rtol=1e-2, atol=1e-3)
    assert [maps.shape for maps in prediction.class_maps] == [(3, 8, 12), (3, 4, 6), (3, 2, 3)]
