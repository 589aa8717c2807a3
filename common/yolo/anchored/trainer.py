"""The part of ultralytics' trainer that an anchored model changes."""

import logging
from typing import Any

import numpy as np
import torch
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.utils import RANK
from ultralytics.utils.torch_utils import unwrap_model

from common.arrays import Floats
from common.yolo.anchored.anchors import LEAST_RECALL, best_recall, box_sizes, estimate
from common.yolo.anchored.model import AnchoredModel

log = logging.getLogger(__name__)


class AnchoredTraining(DetectionTrainer):  # type: ignore[misc]  # ultralytics is untyped
    """Builds an `AnchoredModel`, and fits its anchors to the data set before the first epoch.

    Attributes:
        plain_resize: see `YoloTraining`.
        fit_anchors: whether anchors that do not fit the data set are estimated anew.
    """

    plain_resize = False
    fit_anchors = True

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> AnchoredModel:
        """See `DetectionTrainer`."""
        model = AnchoredModel(cfg, ch=self.data["channels"], nc=self.data["nc"])
        model.names = self.data["names"]
        if weights is not None:
            model.load(weights)
        return model

    def _build_train_pipeline(self) -> None:
        """Before the weights are averaged for the first time: the average has anchors too."""
        super()._build_train_pipeline()
        if self.ema is None and not self.resume:
            self._check_anchors(unwrap_model(self.model))

    def _check_anchors(self, model: AnchoredModel) -> None:
        """Compare the anchors with the boxes of the training set, and replace them where that helps.

        Every process of a training finds the same, see `estimate`.
        """
        labels = self.train_loader.dataset.labels
        boxes = box_sizes([label["bboxes"][:, 2:] for label in labels], self._shapes(labels))
        head: Any = model.model[-1]
        anchors = head.sizes.cpu().numpy()
        before = best_recall(boxes, anchors.reshape(-1, 2))
        if before >= LEAST_RECALL or not self.fit_anchors:
            _say("anchors: best possible recall %.4f of %d boxes", before, len(boxes))
            return
        found = estimate(boxes, anchors.reshape(-1, 2))
        after = best_recall(boxes, found)
        if after <= before:
            _say("anchors: best possible recall %.4f of %d boxes; no better ones were found", before, len(boxes))
            return
        model.set_anchors(torch.from_numpy(found).view(anchors.shape))
        sizes = ", ".join(f"{width:.0f}x{height:.0f}" for width, height in found)
        _say(
            "anchors: best possible recall %.4f of %d boxes; estimated anew: %.4f, %s", before, len(boxes), after, sizes
        )

    def _shapes(self, labels: Any) -> Floats:
        """`(images, 2)` width and height of each training image in the model's input, pixels."""
        shapes = np.array([label["shape"][::-1] for label in labels], dtype=np.float32).reshape(-1, 2)
        if self.plain_resize:
            return np.full_like(shapes, self.args.imgsz)
        scaled: Floats = shapes * self.args.imgsz / shapes.max(axis=1, keepdims=True)
        return scaled


def _say(message: str, *values: Any) -> None:
    if RANK in (-1, 0):
        log.info(message, *values)
