"""ultralytics' trainer, with checkpoints that survive a kill and the platform's metric as the goal."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from ultralytics.models.rtdetr.train import RTDETRTrainer
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.models.yolo.segment import SegmentationTrainer

from common.errors import NanError
from common.weights.classes import report_classes
from common.weights.given import report
from common.yolo.anchored.model import DETECT as ANCHORED_DETECT
from common.yolo.anchored.model import SEGMENT as ANCHORED_SEGMENT
from common.yolo.anchored.trainer import AnchoredTraining
from common.yolo.metrics import PRECISIONS, classes_of, with_classes
from common.yolo.tasks import SEGMENT

if TYPE_CHECKING:
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.engine.validator import BaseValidator
    from ultralytics.nn.tasks import DetectionModel
    from ultralytics.utils import IterableSimpleNamespace

TIE_BREAK = 1e-3
"""Weight of AP 0.5:0.95 beside AP 0.5: decides between epochs with equal values of the platform's metric."""


ANCHORED_HEADS = (ANCHORED_DETECT, ANCHORED_SEGMENT)


class Goals(DetectionTrainer):  # type: ignore[misc]  # ultralytics is untyped
    """Requirements of the platform on a training, whatever the model. See `DetectionTrainer` for the arguments.

    Attributes:
        synchronise: whether to synchronise batch normalisation across GPUs.
        plain_resize: see `YoloTraining`.
        fit_anchors: see `AnchoredTraining`; other models have none.
    """

    synchronise = False
    plain_resize = False
    fit_anchors = True

    args: "IterableSimpleNamespace"
    model: torch.nn.Module
    epoch: int
    loss: torch.Tensor | None
    best_fitness: float | None
    metrics: Mapping[str, Any]
    validator: "BaseValidator"
    last: Path
    best: Path
    csv: Path

    def get_model(
        self, cfg: str | None = None, weights: torch.nn.Module | None = None, verbose: bool = True
    ) -> "DetectionModel":
        """Build the model, and log how much of the weights fits."""
        model = super().get_model(cfg, weights, verbose=False)
        if weights is not None and not self.resume:
            source = Path(str(getattr(weights, "pt_path", "weights")))
            _report(source, model, weights)
            report_classes(source, list(getattr(weights, "names", {}).values()), list(self.data["names"].values()))
        return model

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> "YOLODataset":
        """Build the data set of a split; with `plain_resize` its images are loaded as squares, as for RT-DETR."""
        if self.plain_resize:
            return RTDETRTrainer.build_dataset(self, img_path, mode, batch)
        return super().build_dataset(img_path, mode, batch)

    def set_model_attributes(self) -> None:
        """Synchronise batch normalisation at the last moment before the model is wrapped for several GPUs."""
        super().set_model_attributes()
        if self.synchronise and self.world_size > 1:
            self.model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(self.model)  # type: ignore[no-untyped-call]

    def validate(self) -> tuple[Mapping[str, float] | None, float | None]:
        """Validate, and judge the epoch by AP at IoU 0.5, by which the platform compares models.

        ultralytics compares masks on the grid of the prototypes, a quarter of the input. With inputs of 256 pixels that
        is within 0.02 of what COCO's rules give at the images' own sizes, see the test; with 192, 0.04 more.
        """
        before = self.best_fitness
        metrics, fitness = super().validate()
        if metrics is not None:
            goal = PRECISIONS[self.args.task][0]
            fitness = metrics[goal.at50] + TIE_BREAK * metrics[goal.at50_95]
            self.best_fitness = fitness if before is None else max(before, fitness)
        return metrics, fitness

    def save_model(self) -> bool:
        """Save a checkpoint under another name first, so that a restart never resumes from a half-written one.

        The best one is put in place before the last one. A kill in between repeats an epoch, but loses no best model.
        The metrics by class go into it, so that a restart can still publish them.
        """
        last, best, metrics = self.last, self.best, self.metrics
        self.last, self.best = (path.with_name(f".{path.name}.tmp.pt") for path in (last, best))
        self.metrics = with_classes(metrics, classes_of(self.args.task, self.validator.metrics))
        try:
            saved = bool(super().save_model())
            for written, path in ((self.best, best), (self.last, last)):
                if written.exists():
                    written.replace(path)
        finally:
            self.last, self.best, self.metrics = last, best, metrics
        return saved

    def final_eval(self) -> None:
        """Skip the evaluation: the metrics of the best epoch are known, and its file is exported from a copy."""

    def check_loss(self) -> None:
        """Stop a training that cannot recover.

        Raises:
            NanError: the loss of the epoch is NaN or infinite, and there is no checkpoint to return to.
        """
        loss = 0.0 if self.loss is None else self.loss.item()
        if not math.isfinite(loss) and not self.last.exists():
            raise NanError(f"the loss is {loss} in epoch {self.epoch + 1}; a smaller lr0 may help")


class YoloTrainer(Goals):
    """Trains a YOLO of any version."""


class SegmentTrainer(Goals, SegmentationTrainer):  # type: ignore[misc]
    """Trains a YOLO that finds masks too."""


class RtdetrTrainer(Goals, RTDETRTrainer):  # type: ignore[misc]
    """Trains an RT-DETR."""


class AnchoredTrainer(Goals, AnchoredTraining):
    """Trains an anchored YOLOv5."""


class AnchoredSegmentTrainer(Goals, AnchoredTraining, SegmentationTrainer):  # type: ignore[misc]
    """Trains an anchored YOLOv5 that finds masks too."""


def trainer_for(task: str, head: str) -> type[Goals]:
    """The trainer for ultralytics' task and a model, by the name of its head in the configuration."""
    if head in ANCHORED_HEADS:
        return AnchoredSegmentTrainer if task == SEGMENT else AnchoredTrainer
    if task == SEGMENT:
        return SegmentTrainer
    return RtdetrTrainer if head == "RTDETRDecoder" else YoloTrainer


def _report(source: Path, model: torch.nn.Module, weights: torch.nn.Module) -> None:
    wanted = model.state_dict()
    given = weights.float().state_dict()
    matched = [name for name, tensor in given.items() if name in wanted and wanted[name].shape == tensor.shape]
    report(source, wanted, given, matched)
