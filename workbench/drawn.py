"""Objects of an image: predictions or truth, ready to be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from common.contract import ObjectType
from workbench.masked import MaskedSample, Rendered, sample_of
from workbench.sample import Angles, Boxes

Masks = NDArray[np.bool_]
"""`(n, H, W)`: the pixels of each of n objects."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """The objects on an image.

    Attributes:
        boxes: `(n, 4)` int64, corners `x1, y1, x2, y2` in pixels, max corner exclusive; turned back to angle 0.
        angles: `(n,)` float64, radians, clockwise on the screen; 0 where unknown.
        names: n class names.
        scores: `(n,)` float64 from 0 to 1; None in the truth and for maps of classes.
        masks: None where only boxes are known.
    """

    boxes: Boxes
    angles: Angles
    names: tuple[str, ...]
    scores: NDArray[np.float64] | None
    masks: Masks | None = None

    def of_classes(self) -> Self:
        """All objects of a class as one, for objects with masks."""
        assert self.masks is not None
        names = tuple(dict.fromkeys(self.names))
        groups = [[own == name for own in self.names] for name in names]
        boxes = [np.hstack([self.boxes[rows, :2].min(0), self.boxes[rows, 2:].max(0)]) for rows in groups]
        masks = [self.masks[rows].any(0) for rows in groups]
        return replace(
            self,
            boxes=np.array(boxes, np.int64).reshape(-1, 4),
            angles=np.zeros(len(names)),
            names=names,
            scores=None,
            masks=np.array(masks, np.bool_).reshape(-1, *self.masks.shape[1:]),
        )


def true_objects(rendered: Rendered, class_names: Sequence[str], object_type: ObjectType) -> Drawn:
    """True objects of an image, as a project of `object_type` counts them: one per class in a semantic one."""
    sample = sample_of(rendered)
    names = tuple(class_names[index] for index in sample.classes.tolist())
    objects = Drawn(sample.boxes, sample.angles, names, None)
    if object_type is ObjectType.DETECTION or not isinstance(rendered, MaskedSample):
        return objects
    objects = replace(objects, masks=rendered.masks)
    return objects.of_classes() if object_type is ObjectType.SEMANTIC else objects
