"""YOLOv5 once more: plain arithmetic on the tensors of a checkpoint, loops where the formulas have indices.

It shares nothing with the executors but the reader of pickles.
"""

import math
from typing import Any

import numpy as np
import torch
from torch.nn import functional


def forward(network: Any, pixels: torch.Tensor) -> list[np.ndarray]:
    """Run the shell of a model on `(1, 3, H, W)`; for each scale `(A, 5 + K, h, w)` as the convolutions give them."""
    outputs: list[torch.Tensor] = []
    for layer in list(network.model)[:-1]:
        inputs = [outputs[i] if outputs else pixels for i in ([layer.f] if isinstance(layer.f, int) else layer.f)]
        outputs.append(run(layer, inputs if isinstance(layer.f, list) else inputs[0]))
    head = network.model[-1]
    scales = []
    for index, source in enumerate(head.f):
        values = functional.conv2d(outputs[source], head.m[index].weight.float(), head.m[index].bias.float())
        anchors = head.anchors.shape[1]
        scales.append(values[0].reshape(anchors, -1, *values.shape[2:]).detach().numpy())
    return scales


def run(layer: Any, x: Any) -> torch.Tensor:
    """One layer."""
    return LAYERS[type(layer).__name__](layer, x)


def conv(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return act(layer.act, norm(layer.bn, convolve(layer.conv, x)))


def sequential(layer: Any, x: torch.Tensor) -> torch.Tensor:
    for part in layer:
        x = run(part, x)
    return x


def focus(layer: Any, x: torch.Tensor) -> torch.Tensor:
    corners = [x[:, :, dy::2, dx::2] for dy, dx in ((0, 0), (1, 0), (0, 1), (1, 1))]
    return run(layer.conv, torch.cat(corners, 1))


def bottleneck(layer: Any, x: torch.Tensor) -> torch.Tensor:
    y = run(layer.cv2, run(layer.cv1, x))
    return x + y if layer.add else y


def c3(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return run(layer.cv3, torch.cat((run(layer.m, run(layer.cv1, x)), run(layer.cv2, x)), 1))


def spp(layer: Any, x: torch.Tensor) -> torch.Tensor:
    x = run(layer.cv1, x)
    return run(layer.cv2, torch.cat([x, *(functional.max_pool2d(x, k, 1, k // 2) for k in (5, 9, 13))], 1))


def sppf(layer: Any, x: torch.Tensor) -> torch.Tensor:
    pooled = [run(layer.cv1, x)]
    for _ in range(3):
        pooled.append(functional.max_pool2d(pooled[-1], 5, 1, 2))
    return run(layer.cv2, torch.cat(pooled, 1))


def transformer(layer: Any, x: torch.Tensor) -> torch.Tensor:
    tokens = x.flatten(2).permute(2, 0, 1)
    tokens = tokens + linear(layer.linear, tokens)
    for part in layer.tr:
        tokens = attend(part, tokens) + tokens
        tokens = linear(part.fc2, linear(part.fc1, tokens)) + tokens
    return tokens.permute(1, 2, 0).reshape(x.shape)


LAYERS = {
    "Conv": conv,
    "Sequential": sequential,
    "Focus": focus,
    "Bottleneck": bottleneck,
    "C3": c3,
    "C3TR": c3,
    "SPP": spp,
    "SPPF": sppf,
    "Concat": lambda _, x: torch.cat(x, 1),
    "Upsample": lambda _, x: x.repeat_interleave(2, 2).repeat_interleave(2, 3),
    "TransformerBlock": transformer,
}


def convolve(layer: Any, x: torch.Tensor) -> torch.Tensor:
    return functional.conv2d(x, layer.weight.float(), None, layer.stride, layer.padding, 1, layer.groups)


def norm(layer: Any, x: torch.Tensor) -> torch.Tensor:
    mean, variance, weight, bias = (
        tensor.float().view(1, -1, 1, 1) for tensor in (layer.running_mean, layer.running_var, layer.weight, layer.bias)
    )
    return (x - mean) / (variance + layer.eps).sqrt() * weight + bias


def act(layer: Any, x: torch.Tensor) -> torch.Tensor:
    kind = type(layer).__name__
    if kind == "LeakyReLU":
        return torch.where(x > 0, x, x * layer.negative_slope)
    assert kind == "SiLU"
    return x / (1 + (-x).exp())


def linear(layer: Any, x: torch.Tensor) -> torch.Tensor:
    y = x @ layer.weight.float().T
    return y if layer.bias is None else y + layer.bias.float()


def attend(layer: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Attention with 4 heads, of tokens `(n, 1, c)`."""
    count, _, channels = tokens.shape
    weights, biases = layer.ma.in_proj_weight.float(), layer.ma.in_proj_bias.float()
    parts = []
    for index, part in enumerate((layer.q, layer.k, layer.v)):
        rows = slice(index * channels, (index + 1) * channels)
        parts.append((linear(part, tokens)[:, 0] @ weights[rows].T + biases[rows]).view(count, 4, channels // 4))
    heads = []
    for head in range(4):
        query, key, value = (part[:, head] for part in parts)
        heads.append((query @ key.T / math.sqrt(channels // 4)).softmax(1) @ value)
    return linear(layer.ma.out_proj, torch.cat(heads, 1))[:, None]


def decode(scales: list[np.ndarray], anchors: np.ndarray, strides: list[int]) -> np.ndarray:
    """Boxes (cx, cy, w, h) and K scores of every anchor of every cell; `anchors` `(L, A, 2)` in pixels."""
    rows = []
    for values, sides, stride in zip(scales, anchors, strides, strict=True):
        for anchor in range(values.shape[0]):
            for y in range(values.shape[2]):
                for x in range(values.shape[3]):
                    p = 1 / (1 + np.exp(-values[anchor, :, y, x].astype(np.float64)))
                    cx, cy = (2 * p[0] - 0.5 + x) * stride, (2 * p[1] - 0.5 + y) * stride
                    w, h = (2 * p[2]) ** 2 * sides[anchor][0], (2 * p[3]) ** 2 * sides[anchor][1]
                    rows.append([cx, cy, w, h, *(p[4] * p[5:])])
    return np.array(rows)


def ciou(a: list[float], b: list[float]) -> float:
    """Complete IoU of two boxes (cx, cy, w, h)."""
    low = [max(a[i] - a[i + 2] / 2, b[i] - b[i + 2] / 2) for i in (0, 1)]
    high = [min(a[i] + a[i + 2] / 2, b[i] + b[i + 2] / 2) for i in (0, 1)]
    inner = max(high[0] - low[0], 0) * max(high[1] - low[1], 0)
    iou = inner / (a[2] * a[3] + b[2] * b[3] - inner)
    hull = [
        max(a[i] + a[i + 2] / 2, b[i] + b[i + 2] / 2) - min(a[i] - a[i + 2] / 2, b[i] - b[i + 2] / 2) for i in (0, 1)
    ]
    distance = ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) / (hull[0] ** 2 + hull[1] ** 2)
    v = 4 / math.pi**2 * (math.atan(b[2] / b[3]) - math.atan(a[2] / a[3])) ** 2
    return iou - distance - v * v / (1 - iou + v)


def entropy(logit: float, wanted: float) -> float:
    """Binary cross entropy."""
    p = 1 / (1 + math.exp(-logit))
    return -(wanted * math.log(p) + (1 - wanted) * math.log(1 - p))


def matches(box: np.ndarray, anchor: np.ndarray, height: int, width: int, stride: int) -> list[tuple[int, int]]:
    """The cells (row, column) of a scale that learn a box, given as fractions, from an anchor in pixels."""
    sides = [box[2] * width * stride / anchor[0], box[3] * height * stride / anchor[1]]
    if max(max(side, 1 / side) for side in sides) >= 4:
        return []
    x, y = box[0] * width, box[1] * height
    column, row = min(int(x), width - 1), min(int(y), height - 1)
    found = [(row, column)]
    if x % 1 < 0.5 and x > 1:
        found.append((row, column - 1))
    if y % 1 < 0.5 and y > 1:
        found.append((row - 1, column))
    if (width - x) % 1 < 0.5 and width - x > 1:
        found.append((row, column + 1))
    if (height - y) % 1 < 0.5 and height - y > 1:
        found.append((row + 1, column))
    return found


def loss(
    scales: list[np.ndarray],
    anchors: np.ndarray,
    objects: list[tuple[int, int, np.ndarray]],
    prototypes: np.ndarray | None = None,
    masks: np.ndarray | None = None,
) -> dict[str, float]:
    """The parts of the loss before their gains.

    Args:
        scales: `(B, A, 5 + K + m, h, w)` of strides 8, 16, 32.
        anchors: `(L, A, 2)` pixels.
        objects: (image, class, box as fractions).
        prototypes: `(B, m, h, w)`.
        masks: `(N, h, w)` of the objects.
    """
    totals = {"box": 0.0, "obj": 0.0, "cls": 0.0, "seg": 0.0}
    coefficients = 0 if prototypes is None else prototypes.shape[1]
    for values, sides, stride, balance in zip(scales, anchors, (8, 16, 32), (4.0, 1.0, 0.4), strict=True):
        images, _, channels, height, width = values.shape
        wanted = np.zeros((images, len(sides), height, width))
        boxes, classes = [], []
        by_image: dict[int, list[float]] = {}
        for index, (image, kind, box) in enumerate(objects):
            for anchor, side in enumerate(sides):
                for row, column in matches(box, side, height, width, stride):
                    p = values[image, anchor, :, row, column].astype(np.float64)
                    s = 1 / (1 + np.exp(-p[:4]))
                    predicted = [2 * s[0] - 0.5, 2 * s[1] - 0.5]
                    predicted += [(2 * s[2]) ** 2 * side[0] / stride, (2 * s[3]) ** 2 * side[1] / stride]
                    true = [box[0] * width - column, box[1] * height - row, box[2] * width, box[3] * height]
                    overlap = ciou(predicted, true)
                    boxes.append(1 - overlap)
                    wanted[image, anchor, row, column] = max(wanted[image, anchor, row, column], overlap, 0)
                    kinds = channels - 5 - coefficients
                    classes.append(np.mean([entropy(p[5 + k], float(k == kind)) for k in range(kinds)]))
                    if prototypes is not None:
                        value = mask_loss(p[5 + kinds :], prototypes[image], masks[index], box)
                        by_image.setdefault(image, []).append(value)
        cells = [entropy(values[b, a, 4, y, x], wanted[b, a, y, x]) for b, a, y, x in np.ndindex(wanted.shape)]
        totals["box"] += np.mean(boxes) if boxes else 0
        totals["cls"] += np.mean(classes) if classes else 0
        totals["obj"] += np.mean(cells) * balance
        totals["seg"] += sum(np.mean(part) for part in by_image.values())
    return totals


def mask_loss(coefficients: np.ndarray, prototypes: np.ndarray, mask: np.ndarray, box: np.ndarray) -> float:
    """Cross entropy of a mask inside its box, averaged over all pixels, by the area of the box."""
    count, height, width = prototypes.shape
    total = 0.0
    for y in range(height):
        for x in range(width):
            inside = (
                abs(x - box[0] * width + 1e-9) <= box[2] * width / 2 and abs(y - box[1] * height) <= box[3] * height / 2
            )
            if inside:
                logit = sum(coefficients[i] * prototypes[i, y, x] for i in range(count))
                total += entropy(logit, mask[y, x])
    return total / (height * width) / (box[2] * box[3])
