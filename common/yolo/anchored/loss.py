"""The loss of YOLOv5 for boxes and masks, as ultralytics' trainer and validator take a criterion.

Source: YOLOv5 v7.0, utils/loss.py and utils/segment/loss.py; the gains: data/hyps/hyp.scratch-low.yaml, their scaling:
train.py. CIoU: Zheng et al., "Distance-IoU Loss", AAAI 2020, arXiv:1911.08287. Masks from prototypes: Bolya et al.,
"YOLACT", ICCV 2019, arXiv:1904.02689. What v7.0 leaves at a value without effect is not here: label smoothing, focal
loss, and weights of positive examples.
"""

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import interpolate
from ultralytics.utils.metrics import bbox_iou
from ultralytics.utils.ops import crop_mask, xywh2xyxy

from common.yolo.anchored.head import BOX
from common.yolo.anchored.targets import Targets, assign

BOX_GAIN: Final = 0.05
"""Gain of the boxes, and of the masks: the trainer's argument `box`, whose own default is for another loss."""

OBJECTNESS_GAIN: Final = 1.0

BALANCE: Final = {3: (4.0, 1.0, 0.4)}
_BALANCE_OF_MORE: Final = (4.0, 1.0, 0.25, 0.06, 0.02)
"""Weights of the objectness by scale, finest first, by the number of scales: finer ones have more empty cells."""

_SCALES, _CLASSES, _SIDE = 3, 80, 640
"""The case that the gains are meant for: scales, classes, and the side of the input in pixels."""

Terms = dict[str, torch.Tensor]
"""The parts of a loss by the names that the log gives them; each a scalar for an image, on average."""


@dataclass(frozen=True, slots=True)
class Gains:
    """Factors of the parts of the loss."""

    box: float
    objectness: float
    classes: float

    @classmethod
    def of(cls, box: float, classes: float, scales: int, count: int, side: int) -> "Gains":
        """Scale the gains for a number of scales, a number of classes, and a side of the input in pixels."""
        share = _SCALES / scales
        return cls(box * share, OBJECTNESS_GAIN * (side / _SIDE) ** 2 * share, classes * count / _CLASSES * share)


class AnchoredLoss:
    """The loss of boxes, objectness and classes.

    Args:
        model: an ultralytics model with an `AnchoredDetect` head and the trainer's arguments as `args`.
    """

    def __init__(self, model: Any) -> None:
        head, settings = model.model[-1], model.args
        self.gains = Gains.of(settings.box, settings.cls, head.nl, head.nc, settings.imgsz)
        self.classes: int = head.nc
        self.sizes = head.sizes.float() / head.stride.float().to(head.sizes.device).view(-1, 1, 1)
        self.balance = BALANCE.get(head.nl, _BALANCE_OF_MORE)
        self.weights: torch.Tensor | None = getattr(model, "class_weights", None)

    def __call__(self, predictions: Any, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, Terms]:
        """The loss of a batch.

        Args:
            predictions: what the head gives, in training or not.
            batch: `batch_idx` `(N,)`, `cls` `(N,)` or `(N, 1)`, and `bboxes` `(N, 4)`: centre, width, height as
                fractions of the image; with masks also `masks`, see `_object_masks`.

        Returns:
            The parts times the number of images, for the gradient, and the parts.
        """
        raw = predictions[1] if isinstance(predictions, tuple) else predictions
        terms = self.terms(raw, batch)
        images = raw["scales"][0].shape[0]
        return torch.stack(list(terms.values())) * images, {name: term.detach() for name, term in terms.items()}

    def terms(self, raw: dict[str, Any], batch: dict[str, torch.Tensor]) -> Terms:
        """The parts of the loss."""
        boxes = objectness = classes = raw["scales"][0].new_zeros((), dtype=torch.float32)
        for index, scale in enumerate(raw["scales"]):
            cells = scale.float()
            targets = self._targets(index, cells, batch)
            rows = cells[targets.image, targets.anchor, :, targets.row, targets.column]
            overlaps = _overlaps(rows, targets, self.sizes[index].to(rows.device))
            if len(rows):
                boxes = boxes + (1 - overlaps).mean()
                classes = classes + self._class_loss(rows, targets, batch)
            objectness = objectness + self._objectness_loss(cells[:, :, BOX], targets, overlaps) * self.balance[index]
        return {
            "box_loss": boxes * self.gains.box,
            "obj_loss": objectness * self.gains.objectness,
            "cls_loss": classes * self.gains.classes,
        }

    def _targets(self, index: int, cells: torch.Tensor, batch: dict[str, torch.Tensor]) -> Targets:
        images, boxes = (batch[name].to(cells.device) for name in ("batch_idx", "bboxes"))
        sizes = self.sizes[index].to(cells.device)
        return assign(images.view(-1), boxes.float().view(-1, 4), sizes, cells.shape[3], cells.shape[4])

    def _class_loss(self, rows: torch.Tensor, targets: Targets, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Cross entropy of every class; of a single one there is nothing to learn."""
        if self.classes == 1:
            return rows.new_zeros(())
        logits = rows[:, BOX + 1 : BOX + 1 + self.classes]
        names = batch["cls"].to(rows.device).view(-1).long()[targets.objects]
        wanted = torch.zeros_like(logits)
        wanted[torch.arange(len(names), device=rows.device), names] = 1.0
        return cross_entropy(logits, wanted, weight=None if self.weights is None else self.weights.to(rows.device))

    @staticmethod
    def _objectness_loss(logits: torch.Tensor, targets: Targets, overlaps: torch.Tensor) -> torch.Tensor:
        """Cross entropy of all anchors of all cells `(B, A, h, w)` with how well each predicts its object.

        Of several objects of one anchor in one cell, the best predicted one counts: `sort_obj_iou` of YOLOv5 v7.0,
        where else the last one written does, which is by chance on a GPU.
        """
        wanted = torch.zeros_like(logits)
        _, anchors, height, width = logits.shape
        flat = ((targets.image * anchors + targets.anchor) * height + targets.row) * width + targets.column
        wanted.view(-1).scatter_reduce_(0, flat, overlaps.detach().clamp(0), "amax")
        return cross_entropy(logits, wanted)


class AnchoredMaskLoss(AnchoredLoss):
    """The same and the loss of the masks.

    Args:
        model: as for `AnchoredLoss`, with an `AnchoredSegment` head.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.overlapping: bool = model.args.overlap_mask

    def terms(self, raw: dict[str, Any], batch: dict[str, torch.Tensor]) -> Terms:
        """The parts of the loss."""
        prototypes = raw["proto"].float()
        images = prototypes.shape[0]
        masks = batch["masks"].to(prototypes.device).float()
        if len(masks) and masks.shape[-2:] != prototypes.shape[-2:]:
            masks = interpolate(masks[None], prototypes.shape[-2:], mode="nearest")[0]
        loss = (prototypes * 0).sum()  # so that every weight has a gradient where there is no object
        for index, scale in enumerate(raw["scales"]):
            cells = scale.float()
            targets = self._targets(index, cells, batch)
            rows = cells[targets.image, targets.anchor, :, targets.row, targets.column]
            coefficients = rows[:, BOX + 1 + self.classes :]
            for image in sorted(set(targets.image.tolist())):
                own = targets.image == image
                objects = targets.objects[own]
                wanted = self._object_masks(masks, objects, image, batch)
                boxes = batch["bboxes"].to(cells.device).float()[objects]
                loss = loss + _mask_loss(coefficients[own], prototypes[image], wanted, boxes)
        terms = super().terms(raw, batch)
        return {"box_loss": terms.pop("box_loss"), "seg_loss": loss * self.gains.box / images, **terms}

    def _object_masks(
        self, masks: torch.Tensor, objects: torch.Tensor, image: int, batch: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        """`(n, h, w)` the masks of some objects of an image.

        Args:
            masks: `(N, h, w)` of all objects of the batch; with `overlap_mask` `(B, h, w)`, where each pixel says which
                object of its image covers it, counted from 1.
            objects: `(n,)` their indices in the batch.
        """
        if not self.overlapping:
            return masks[objects]
        first = int((batch["batch_idx"].view(-1).to(masks.device) < image).sum())
        return (masks[image][None] == (objects - first + 1).view(-1, 1, 1)).float()


def _overlaps(rows: torch.Tensor, targets: Targets, sizes: torch.Tensor) -> torch.Tensor:
    """`(n,)` complete IoU of predicted boxes with those of the objects.

    Args:
        rows: `(n, 5 + K + m)` as the convolution gives them.
        sizes: `(A, 2)` of the anchors in cells.
    """
    given = rows[:, :BOX].sigmoid()
    centres = given[:, :2] * 2 - 0.5
    sides = (given[:, 2:] * 2) ** 2 * sizes[targets.anchor]
    overlaps: torch.Tensor = bbox_iou(torch.cat((centres, sides), dim=1), targets.boxes, CIoU=True)
    return overlaps.view(-1)


def _mask_loss(
    coefficients: torch.Tensor, prototypes: torch.Tensor, wanted: torch.Tensor, boxes: torch.Tensor
) -> torch.Tensor:
    """Cross entropy of the masks of an image's objects inside their boxes, by the area of each box.

    Args:
        coefficients: `(n, m)`.
        prototypes: `(m, h, w)`.
        wanted: `(n, h, w)` of 0 and 1.
        boxes: `(n, 4)` centre, width, height as fractions of the image.
    """
    height, width = prototypes.shape[1:]
    logits = (coefficients @ prototypes.flatten(1)).view(-1, height, width)
    losses = cross_entropy(logits, wanted, reduction="none")
    corners = xywh2xyxy(boxes) * boxes.new_tensor([width, height, width, height])
    inside: torch.Tensor = crop_mask(losses, corners).mean(dim=(1, 2)) / boxes[:, 2:].prod(dim=1)
    return inside.mean()
