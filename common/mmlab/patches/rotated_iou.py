"""Differentiable IoU of rotated boxes on a CPU, for losses.

mmcv's `diff_iou_rotated_2d` collects the corners and crossings of two boxes and sorts them around their mean. The sort
is a kernel for CUDA only, and without it mmrotate's `RotatedIoULoss` cannot run. A sort for CPUs would not be enough:
where corners coincide or edges lie on each other, rounding decides which points are collected, some twice. With the
kernel imitated, the IoU was wrong by more than 0.001 for a tenth of the pairs of equal boxes (for most, if one is
written with w and h exchanged), for a quarter to a half of the turned pairs that share edges, and by up to 0.03 for
small boxes at x = 4000. So this takes another way to the same number, which needs no sort and knows no such cases:

Seen from the second box, which then is upright, `|x| <= w/2, |y| <= h/2`, the field `(clamp(x, -w/2, w/2), 0)` where
`|y| <= h/2`, zero elsewhere, has the divergence 1 in the box and 0 outside. By Green's theorem the area of the
intersection is the integral of that field over the outline of the first box: of `clamp(x) dy` over the parts of its
four edges with `|y| <= h/2`. Along an edge x is linear, so each integral is known exactly, and it changes
continuously with the corners.
"""

import sys

import torch
from mmcv.ops.diff_iou_rotated import diff_iou_rotated_2d as mmcv_iou
from torch import Tensor

NOTHING = 1e-12
"""Pixels, and square pixels, that count as 0 in a divisor."""

REPLACED = "diff_iou_rotated_2d"

USERS = ("mmcv.ops.diff_iou_rotated", "mmcv.ops", "mmrotate.models.losses.rotated_iou_loss")
"""Modules that hold the function under this name once they are imported."""


def install() -> None:
    """Have mmcv and mmrotate use `iou` for tensors on the CPU. Other tensors and functions are not affected.

    It may be called before mmrotate is imported or after, and again.
    """
    for name in USERS:
        if name in sys.modules:
            setattr(sys.modules[name], REPLACED, _diff_iou_rotated_2d)


def iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU of each box with the one at the same place.

    Values and gradients are finite for all finite boxes. Where the derivative has a jump, as at two equal boxes, the
    gradient lies between the two sides.

    Args:
        first: `(..., 5)` floats: cx, cy, w, h in pixels, angle in radians, clockwise in the image. A negative side
            counts as 0: a detector that has learned little predicts some.
        second: The same shape.

    Returns:
        `(...)` in [0, 1], of the inputs' type; 0 for two boxes without area. It is worked out in float64:
        float32 would be 1e-4 off for long thin boxes, and hardly faster.
    """
    one, other = _without_negative_sides(first.double()), _without_negative_sides(second.double())
    shared = _intersections(one, other)
    union = one[..., 2] * one[..., 3] + other[..., 2] * other[..., 3] - shared
    return _ratio(shared, union).to(torch.result_type(first, second))


def _diff_iou_rotated_2d(box1: Tensor, box2: Tensor) -> Tensor:
    on_cpu = box1.device.type == box2.device.type == "cpu"
    result: Tensor = iou(box1, box2) if on_cpu else mmcv_iou(box1, box2)
    return result


def _without_negative_sides(boxes: Tensor) -> Tensor:
    return torch.cat([boxes[..., :2], boxes[..., 2:4].clamp(min=0), boxes[..., 4:]], dim=-1)


def _intersections(first: Tensor, second: Tensor) -> Tensor:
    """`(...)` square pixels that both boxes cover."""
    x, y = _corners_seen_from(first, second)
    half = second[..., None, 2:4] / 2
    return _integrals(x, y, x.roll(-1, dims=-1), y.roll(-1, dims=-1), half[..., 0], half[..., 1]).sum(dim=-1)


def _corners_seen_from(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Corners of the first boxes, x and y `(..., 4)` each, relative to the second boxes' centres and axes.

    The corners go from the x axis towards the y axis, so that the outline surrounds a positive area.
    """
    offset = first[..., :2] - second[..., :2]
    offset_x, offset_y = _turned(offset[..., 0], offset[..., 1], -second[..., 4])
    signs = first.new_tensor([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    corners = first[..., None, 2:4] / 2 * signs
    x, y = _turned(corners[..., 0], corners[..., 1], (first[..., 4] - second[..., 4])[..., None])
    return x + offset_x[..., None], y + offset_y[..., None]


def _turned(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    cos, sin = angle.cos(), angle.sin()
    return x * cos - y * sin, x * sin + y * cos


def _integrals(
    from_x: Tensor, from_y: Tensor, to_x: Tensor, to_y: Tensor, half_width: Tensor, half_height: Tensor
) -> Tensor:
    """Integral of `clamp(x, -half_width, half_width) dy` over the part of each edge with `|y| <= half_height`."""
    low, high = _clamp(from_y, half_height), _clamp(to_y, half_height)
    start = from_x + (to_x - from_x) * _ratio(low - from_y, to_y - from_y)
    # From the other end: where y does not change, this is the whole edge, and the derivative by the angle right.
    end = to_x - (to_x - from_x) * _ratio(to_y - high, to_y - from_y)
    return (high - low) * _mean_of_clamped(start, end, half_width)


def _mean_of_clamped(start: Tensor, end: Tensor, limit: Tensor) -> Tensor:
    """Mean of `clamp(x, -limit, limit)` while x goes evenly from start to end.

    It stays at the clamped start for a while, goes evenly, and stays at the clamped end.
    """
    first, last = _clamp(start, limit), _clamp(end, limit)
    at_first, at_last = _ratio(first - start, end - start), _ratio(end - last, end - start)
    return (first + last + (at_first - at_last) * (first - last)) / 2


def _clamp(value: Tensor, limit: Tensor) -> Tensor:
    # Unlike torch.clamp, these divide the gradient where value and limit are equal.
    return torch.maximum(torch.minimum(value, limit), -limit)


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    """Part divided by the whole; value and gradient are 0 where the whole is 0."""
    nothing = whole.abs() < NOTHING
    return torch.where(nothing, 0.0, part / torch.where(nothing, 1.0, whole))
