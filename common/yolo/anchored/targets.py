"""The assignment of objects to the cells and anchors of a scale.

Source: YOLOv5 v7.0, utils/loss.py, `ComputeLoss.build_targets`: every anchor whose sides are not too far from those of
the object, in the cell of its centre and in the two cells that are next to the centre.
"""

from dataclasses import dataclass

import torch

from common.yolo.anchored.anchors import RATIO_LIMIT

NEAR = 0.5
"""A neighbour learns the object too if its side is nearer to the centre than this, in cells."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets of one scale: a row for each pair of an object and a predicting anchor.

    Attributes:
        image, anchor, row, column: `(n,)` int64, of the prediction.
        boxes: `(n, 4)` float32: the centre relative to the cell's corner, width, height; in cells.
        objects: `(n,)` int64, index of the object in the batch.
    """

    image: torch.Tensor
    anchor: torch.Tensor
    row: torch.Tensor
    column: torch.Tensor
    boxes: torch.Tensor
    objects: torch.Tensor


def assign(images: torch.Tensor, boxes: torch.Tensor, sizes: torch.Tensor, height: int, width: int) -> Targets:
    """The targets of a scale.

    Args:
        images: `(N,)` for each object of the batch its image.
        boxes: `(N, 4)` centre x, centre y, width, height as fractions of the image.
        sizes: `(A, 2)` widths and heights of the anchors, in cells.
        height, width: of the scale, in cells.
    """
    extent = boxes.new_tensor([width, height])
    centres, sides = boxes[:, :2] * extent, boxes[:, 2:] * extent
    ratios = sides[None] / sizes[:, None]
    fitting = torch.maximum(ratios, 1 / ratios).amax(dim=2) < RATIO_LIMIT
    anchors, objects = fitting.nonzero(as_tuple=True)
    pairs, steps = _cells(centres[objects], extent)
    anchors, objects = anchors[pairs], objects[pairs]
    cells = (centres[objects] - steps).long()
    cells = torch.minimum(cells.clamp(min=0), extent.long() - 1)
    offsets = centres[objects] - cells
    return Targets(
        image=images[objects].long(),
        anchor=anchors,
        row=cells[:, 1],
        column=cells[:, 0],
        boxes=torch.cat((offsets, sides[objects]), dim=1),
        objects=objects,
    )


def _cells(centres: torch.Tensor, extent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The cells of some objects: for each the index of the object, and what its centre is moved by to lie in the cell.

    Args:
        centres: `(n, 2)` in cells.
        extent: `(2,)` width and height of the scale in cells.

    Returns:
        `(m,)` and `(m, 2)`.
    """
    opposite = extent - centres
    before = (centres % 1 < NEAR) & (centres > 1)
    after = (opposite % 1 < NEAR) & (opposite > 1)
    chosen = torch.cat((torch.ones_like(before[:, :1]), before, after), dim=1)
    steps = centres.new_tensor([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]]) * NEAR
    objects, which = chosen.nonzero(as_tuple=True)
    return objects, steps[which]
