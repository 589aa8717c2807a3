"""A trained OpenMMLab detector behind the engine's `Predictor`."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch import Tensor

from common.arrays import Floats, Pixels
from common.boxes.convention import SMALLEST_TURNS, Convention
from common.contract import AngleUnit
from common.images.letterbox import Prepared
from common.loop.predictor import Predictor
from common.loop.tiling import TiledPredictor, Tiles
from common.mining.registry import check_class_maps
from common.mmlab.fit.config import merge_options
from common.mmlab.model.checkpoint import Weights, read_weights
from common.mmlab.model.class_maps import class_maps
from common.mmlab.model.fitting import Fitting, fitting_of
from common.mmlab.model.fuse import fuse
from common.mmlab.model.heads import class_count, dense_head, is_a
from common.mmlab.model.rotated_boxes import nms_iou, rotated_boxes, suppress
from common.mmlab.model.thresholds import final_step, most_boxes, set_thresholds
from common.mmlab.model.trained import build, class_names_of, config_of
from common.mmlab.options.params import MmlabInfer
from common.mmlab.options.rotated import OWN_THRESHOLD, RotatedInfer
from common.mmlab.patches.compat import prepare
from common.mmlab.patches.gpu_only import check_device
from common.mmlab.patches.probabilities import keep_probabilities, probabilities_of
from common.predictions import MAX_DETECTIONS, Detections, Prediction, RotatedDetections
from common.run.device import device_of
from common.run.rank import Rank
from common.task.env import Task
from common.weights.given import choose

log = logging.getLogger(__name__)

CHANNELS_LAST = ("YOLOv5Head", "YOLOXHead", "RTMDetHead")
"""Heads of models that are a quarter faster on a CPU in this memory format. Some others fail in it, such as VFNet."""


def load_predictor(task: Task, parameters: MmlabInfer, rank: Rank) -> Predictor:
    """The given model on this rank's device. See `run.image.Family`.

    Raises:
        ModelError: there are no weights, they cannot be read, have no configuration, do not fit it, or are for another
            number of classes.
        ConfigError: `cfg_options` does not fit the configuration, the mining algorithm not the detector, or the
            detector needs a GPU and the task has none.
        NoDeviceError: gpu_id names a GPU that is not there.
    """
    prepare(parameters.package)
    weights = read_weights(choose(task.model_files), task.model_files)
    config = configure(weights, parameters)
    check_device(config, gpu=bool(task.gpu_ids))
    model = build(weights, config, parameters.package)
    names = class_names_of(task, weights, class_count(model))
    if dense_head(model) is None:
        check_class_maps(task.object_type, parameters.options().algorithm, type(model).__name__)
    device = device_of(task, rank)
    log.info("weights: %s on %s", weights.path, device)
    fitting = fitting_of(config, model, parameters.img_size)
    limits = Limits(float(final_step(config.model).score_thr), most_boxes(config.model))
    if not isinstance(parameters, RotatedInfer):
        return MmlabPredictor(model, device, fitting, limits, names)
    predictor = MmlabPredictor(model, device, fitting, limits, names, convention_of(config, parameters))
    if not parameters.tile_size:
        return predictor
    tiles = Tiles.of(parameters.tile_size, parameters.tile_overlap, fitting.longer, fitting.stride)
    return TiledPredictor(
        predictor, tiles, parameters.samples_per_gpu, partial(suppress, threshold=nms_iou(config.model))
    )


def convention_of(config: Config, parameters: RotatedInfer) -> Convention:
    """How the results are written: as in the data set that the model was trained with, if its configuration tells."""
    learned = config.get("rotate_angle")
    convention = Convention.from_dict(learned) if learned else SMALLEST_TURNS
    return replace(convention, unit=AngleUnit(parameters.angle_unit)) if parameters.angle_unit else convention


def configure(weights: Weights, parameters: MmlabInfer) -> Config:
    """The configuration of some weights, fitted to a task. `cfg_options` comes last and wins.

    Raises:
        ModelError: the weights have none, or an incomplete one.
        ConfigError: `cfg_options` does not fit it.
    """
    config = config_of(weights)
    if isinstance(parameters, RotatedInfer):
        own = parameters.iou_threshold == OWN_THRESHOLD
        set_thresholds(config.model, parameters.conf_threshold, None if own else parameters.iou_threshold, most=None)
    else:
        set_thresholds(config.model, parameters.conf_threshold, parameters.iou_threshold)
    merge_options(config, parameters.cfg_options.value)
    return config


@dataclass(frozen=True, slots=True)
class Limits:
    """Which detections are told.

    Attributes:
        score: a detection's must be above it.
        count: most detections of an image.
    """

    score: float
    count: int = MAX_DETECTIONS


class MmlabPredictor:
    """See `inference.Predictor`.

    Args:
        model: a detector of mmdet, mmyolo or mmrotate. It is changed: for inference only.
        device: where to run it; half precision on a GPU where the head is dense.
        fitting: what makes an input of an image.
        limits: which detections are told.
        class_names: position = class index.
        convention: how rotated boxes are written; None for upright ones.
    """

    def __init__(
        self,
        model: Any,
        device: torch.device,
        fitting: Fitting,
        limits: Limits,
        class_names: Sequence[str],
        convention: Convention | None = None,
    ) -> None:
        self._model = model.eval().to(device)
        fuse(model)
        keep_probabilities(model)
        self._head = dense_head(model)
        if device.type == "cpu" and is_a(self._head, *CHANNELS_LAST):
            self._model.to(memory_format=torch.channels_last)
        if self._head is not None:
            self._head.register_forward_hook(self._after_head)
        self._half = device.type == "cuda" and self._head is not None
        self._device = device
        self._fitting = fitting
        self._limits = limits
        self._convention = convention
        self._wants_maps = False
        self._maps: list[Tensor] = []
        self.class_names = class_names

    def prepare(self, image: Pixels) -> Prepared:
        """Scale and pad, as the model's configuration says."""
        return self._fitting.prepare(image)

    @torch.inference_mode()
    def predict(self, batch: NDArray[np.uint8], *, class_maps: bool) -> list[Prediction]:
        """Forward pass and the model's own last step.

        Raises:
            ValueError: class maps are asked for, and the model provides none.
        """
        if class_maps and self._head is None:
            raise ValueError(f"{type(self._model).__name__} provides no class maps")
        self._wants_maps = class_maps
        data = self._model.data_preprocessor(_samples(batch), False)
        with torch.autocast(self._device.type, torch.float16, enabled=self._half):
            found = self._model.predict(data["inputs"], data["data_samples"], rescale=False)
        maps = self._class_maps() if class_maps else [()] * len(batch)
        detections = [self._detections(sample.pred_instances) for sample in found]
        return [Prediction(each, cells) for each, cells in zip(detections, maps, strict=True)]

    def _after_head(self, head: Any, _features: Any, outputs: Any) -> Any:
        """Decode boxes in single precision: half of it has steps of half a pixel at the far edge of an image."""
        if self._wants_maps:
            self._maps = class_maps(head, outputs)
        return _as_float(outputs) if self._half else outputs

    def _class_maps(self) -> list[tuple[Floats, ...]]:
        arrays = [scale.cpu().numpy() for scale in self._maps]
        self._maps = []
        return list(zip(*arrays, strict=True))

    def _detections(self, results: Any) -> Detections:
        results = results[results.scores > self._limits.score]
        results = results[results.scores.argsort(descending=True, stable=True)[: self._limits.count]]
        boxes = results.bboxes if self._convention is None else rotated_boxes(results.bboxes)
        columns = (
            _floats(boxes),
            _floats(results.scores),
            results.labels.cpu().numpy().astype(np.int64),
            _floats(probabilities_of(results, len(self.class_names))),
        )
        return Detections(*columns) if self._convention is None else RotatedDetections(*columns, self._convention)


def _samples(batch: NDArray[np.uint8]) -> dict[str, Any]:
    """`(B, H, W, 3)` uint8 BGR -> what a data preprocessor takes: `(B, 3, H, W)`, and what is known of each image."""
    from mmdet.structures import DetDataSample

    size = batch.shape[1:3]
    known = {"img_shape": size, "ori_shape": size, "batch_input_shape": size, "pad_shape": size}
    known["scale_factor"] = (1.0, 1.0)
    return {
        "inputs": torch.from_numpy(batch).permute(0, 3, 1, 2),
        "data_samples": [DetDataSample(metainfo=known) for _ in batch],
    }


def _as_float(outputs: Any) -> Any:
    if isinstance(outputs, Tensor):
        return outputs.float()
    return type(outputs)(map(_as_float, outputs)) if isinstance(outputs, list | tuple) else outputs


def _floats(tensor: Tensor) -> Floats:
    return tensor.float().cpu().numpy()
