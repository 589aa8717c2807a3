"""Reads the boxes of mmrotate's detectors, which come in several kinds."""

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from mmdet.structures.bbox import BaseBoxes


def rotated_boxes(boxes: "BaseBoxes | Tensor") -> Tensor:
    """Turn boxes of any kind into `(n, 5)` rows `cx, cy, w, h, angle` in radians.

    Args:
        boxes: box objects of mmrotate, or a tensor with 5 numbers per box, or 8: corners, which give the smallest
            rectangle around them.
    """
    from mmrotate.structures.bbox import QuadriBoxes, RotatedBoxes

    if isinstance(boxes, Tensor):
        boxes = (RotatedBoxes if boxes.shape[-1] == RotatedBoxes.box_dim else QuadriBoxes)(boxes)
    tensor: Tensor = boxes.convert_to("rbox").tensor
    return tensor
