"""What a program on the RV1126 does with the attachments of a training: numpy, and nothing of this project."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import yaml


@dataclass(frozen=True)
class Found:
    """Boxes `(n, 4)` as x1, y1, x2, y2 in pixels of the image, best first; masks `(n, S, S)` in those of the input."""

    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray
    masks: np.ndarray | None = None


def detect(folder: Path, image: np.ndarray) -> Found:
    """Run the graph of a folder as its description says. `image` is `(h, w, 3)` uint8 BGR."""
    text = yaml.safe_load((folder / "rv1126.yaml").read_text(encoding="utf-8"))
    session = onnxruntime.InferenceSession(str(folder / text["graph"]))
    pixels, scale, border = prepare(image, text["input"])
    raw = session.run([out["name"] for out in text["outputs"]], {text["input"]["name"]: pixels})
    for value, out in zip(raw, text["outputs"], strict=True):
        assert (value.shape, value.dtype) == (tuple(out["shape"]), np.float32)
    return decode(raw, text, scale, border)


def prepare(image: np.ndarray, wanted: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The input; input pixels an image pixel in x and y; border on the left and at the top."""
    size = np.array(wanted["shape"][:1:-1])
    shape = np.array(image.shape[1::-1])
    assert wanted["resize"] in {"stretch", "letterbox"}
    inner = size if wanted["resize"] == "stretch" else np.round(shape * (size / shape).min()).astype(int)
    border = (size - inner) // 2
    canvas = np.full((*size[::-1], 3), wanted.get("pad", 0), np.uint8)
    canvas[border[1] :, border[0] :][: inner[1], : inner[0]] = cv2.resize(image, inner.tolist())
    assert wanted["color"] == "RGB"
    values = (canvas[:, :, ::-1] - np.float32(wanted["mean"])) / np.float32(wanted["std"])
    return values.transpose(2, 0, 1)[None].astype(np.float32), inner / shape, border


def decode(raw: list[np.ndarray], text: dict, scale: np.ndarray, border: np.ndarray) -> Found:
    by_kind: dict[str, list] = {}
    for value, out in zip(raw, text["outputs"], strict=True):
        by_kind.setdefault(out["kind"], []).append((out["stride"], value[0]))
    found = from_anchors if "anchors" in by_kind else from_cells
    boxes, probabilities, coefficients = found(by_kind, text)
    scores, classes = probabilities.max(1), probabilities.argmax(1)
    assert probabilities.shape[1] == len(text["classes"])
    kept = suppress(boxes, scores, classes, text["decoding"])
    masks = None
    if "prototypes" in by_kind:
        masks = draw(coefficients[kept], by_kind["prototypes"][0][1], boxes[kept], text["input"]["shape"][2])
    return Found(back(boxes[kept], scale, border), scores[kept], classes[kept], masks)


def from_cells(by_kind: dict[str, list], text: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes (x1, y1, x2, y2), probabilities and coefficients of all cells."""
    boxes = np.concatenate([sides(value, stride, text["decoding"]["reg_max"]) for stride, value in by_kind["box"]])
    logits = np.concatenate([cells(value) for _, value in by_kind["cls"]])
    masks = [cells(value) for _, value in by_kind.get("mask", [])]
    return boxes, sigmoid(logits), np.concatenate(masks) if masks else np.zeros((len(boxes), 0))


def from_anchors(by_kind: dict[str, list], text: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of all anchors of all cells."""
    parts = []
    kinds = len(text["classes"])
    for stride, value in by_kind["anchors"]:
        for values, (width, height) in zip(
            np.split(value, len(text["decoding"]["anchors"][stride])), text["decoding"]["anchors"][stride], strict=True
        ):
            rows = cells(values)
            p = sigmoid(rows[:, : 5 + kinds])
            ys, xs = np.divmod(np.arange(len(rows)), value.shape[2])
            centres = (2 * p[:, :2] - 0.5 + np.stack([xs, ys], 1)) * stride
            extent = (2 * p[:, 2:4]) ** 2 * (width, height) / 2
            boxes = np.hstack([centres - extent, centres + extent])
            parts.append((boxes, p[:, 4:5] * p[:, 5:], rows[:, 5 + kinds :]))
    boxes, probabilities, coefficients = (np.concatenate(part) for part in zip(*parts, strict=True))
    return boxes, probabilities, coefficients


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values.clip(-50, 50)))


def back(boxes: np.ndarray, scale: np.ndarray, border: np.ndarray) -> np.ndarray:
    """Pixels of the input -> of the image, not yet cut at its sides."""
    return (boxes - np.tile(border, 2)) / np.tile(scale, 2)


def cells(value: np.ndarray) -> np.ndarray:
    """`(C, h, w)` -> `(h * w, C)`."""
    return value.reshape(len(value), -1).T


def sides(value: np.ndarray, stride: int, reg_max: int) -> np.ndarray:
    """`(4 * reg_max, h, w)` -> `(h * w, 4)` boxes in pixels of the input."""
    bins = cells(value).reshape(-1, 4, reg_max)
    weights = np.exp(bins - bins.max(-1, keepdims=True))
    distances = (weights / weights.sum(-1, keepdims=True)) @ np.arange(reg_max) if reg_max > 1 else bins[:, :, 0]
    ys, xs = np.divmod(np.arange(len(bins)), value.shape[2])
    centres = np.stack([xs, ys], 1) + 0.5
    return np.hstack([centres - distances[:, :2], centres + distances[:, 2:]]) * stride


def suppress(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, thresholds: dict) -> list[int]:
    kept: list[int] = []
    order = np.argsort(-scores)
    for i in order[scores[order] > thresholds["conf_thres"]]:
        rivals = [j for j in kept if classes[j] == classes[i]]
        if not rivals or overlap(boxes[i], boxes[rivals]).max() <= thresholds["iou_thres"]:
            kept.append(int(i))
    return kept


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """IoU of a box with each of the others."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = (high - low).clip(0).prod(1)
    areas = (others[:, 2:] - others[:, :2]).prod(1)
    return shared / ((box[2:] - box[:2]).prod() + areas - shared)


def draw(coefficients: np.ndarray, prototypes: np.ndarray, boxes: np.ndarray, size: int) -> np.ndarray:
    logits = np.tensordot(coefficients, prototypes, 1)
    masks = np.stack([cv2.resize(mask, (size, size), interpolation=cv2.INTER_LINEAR) for mask in logits]) > 0
    at = np.arange(size)
    x1, y1, x2, y2 = (boxes[:, i, None] for i in range(4))
    return masks & ((at >= x1) & (at < x2))[:, None] & ((at >= y1) & (at < y2))[:, :, None]
