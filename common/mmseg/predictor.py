"""A trained semantic model of mmsegmentation behind the engine's `Predictor`."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from common.arrays import Pixels
from common.datasets.label_map_writer import BACKGROUND
from common.errors import ConfigError, ModelError
from common.images.letterbox import Prepared
from common.loop.predictor import Predictor
from common.mmlab.fit.config import merge_options
from common.mmlab.model.checkpoint import Weights, read_weights
from common.mmlab.model.fuse import fuse
from common.mmlab.model.trained import build, config_of
from common.mmlab.patches.compat import prepare
from common.mmseg.crop import pair, set_windows
from common.mmseg.fitting import Fitting, fitting_of
from common.mmseg.padding import Padding, set_padding
from common.mmseg.params import SemanticInfer, SemanticMining
from common.mmseg.pixels import Logits
from common.mmseg.repeatable import make_repeatable
from common.predictions import Detections, Prediction
from common.run.device import device_of
from common.run.rank import Rank
from common.task.env import Task
from common.weights.given import check_class_names, choose

log = logging.getLogger(__name__)


def load_predictor(task: Task, parameters: SemanticInfer, rank: Rank) -> Predictor:
    """The given model on this rank's device. See `run.image.Family`.

    Raises:
        ModelError: there are no weights, they cannot be read, have no configuration, do not fit it, are for another
            number of classes, or give one map for two classes.
        ConfigError: `cfg_options` or `mode` does not fit the configuration.
        NoDeviceError: gpu_id names a GPU that is not there.
    """
    prepare(parameters.package)
    weights = read_weights(choose(task.model_files), task.model_files)
    config = configure(weights, parameters)
    model: Any = build(weights, config, parameters.package)
    learned = learned_names(task, weights, int(model.out_channels))
    names = learned[:-1] if learned[-1] == BACKGROUND else learned
    check_class_names(weights.path, names, task.class_names)
    device = device_of(task, rank)
    log.info("weights: %s on %s", weights.path, device)
    half = device.type == "cuda" and not (isinstance(parameters, SemanticMining) and not parameters.fp16)
    return SemanticPredictor(
        model, device, fitting_of(config, parameters.img_size), Padding.of(config), names, half=half
    )


def configure(weights: Weights, parameters: SemanticInfer) -> Config:
    """The configuration of some weights, fitted to a task. `cfg_options` comes last and wins.

    Raises:
        ModelError: the weights have none, or an incomplete one.
        ConfigError: `cfg_options` does not fit it, `mode` is slide and it has no size of windows, or whole and it has
            one that cannot change.
    """
    config = config_of(weights)
    test_cfg = config.model.setdefault("test_cfg", {})
    test_cfg["mode"] = parameters.mode or test_cfg.get("mode", "whole")
    merge_options(config, parameters.cfg_options.value)
    if config.model.test_cfg.mode == "slide":
        _complete_windows(config.model)
    set_padding(config)
    return config


def _complete_windows(model: ConfigDict) -> None:
    size = model.test_cfg.get("crop_size") or model.get("data_preprocessor", {}).get("size")
    if size is None:
        raise ConfigError("mode: slide needs windows; give cfg_options model.test_cfg.crop_size=(512,512)")
    stride = model.test_cfg.get("stride")
    set_windows(model.test_cfg, pair(size), None if stride is None else pair(stride))


def learned_names(task: Task, weights: Weights, count: int) -> tuple[str, ...]:
    """The names of all classes of a model, the background too if it is one.

    Where the file does not tell, they are those of the task, and one class more is the background.

    Args:
        count: of the model's maps.

    Raises:
        ModelError: there are as many names as maps in neither case, or a single map.
    """
    if count == 1:
        raise ModelError(f"{weights.path}: the model gives a single map, and needed is one a class")
    names = weights.class_names or task.class_names or tuple(map(str, range(count)))
    if not weights.class_names and len(names) == count - 1:
        names = (*names, BACKGROUND)
    if len(names) != count:
        raise ModelError(f"{weights.path}: trained for {count} classes, but there are {len(names)} names")
    return names


class SemanticPredictor:
    """See `inference.Predictor`.

    Args:
        model: a segmentor of mmsegmentation. It is changed: for inference only.
        device: where to run it.
        fitting: what makes an input of an image.
        padding: what the model needs around an input.
        class_names: of the task's classes, without the background.
        half: whether to compute in half precision.
    """

    def __init__(
        self,
        model: Any,
        device: torch.device,
        fitting: Fitting,
        padding: Padding,
        class_names: Sequence[str],
        *,
        half: bool,
    ) -> None:
        self._model = model.eval().to(device)
        fuse(model)
        make_repeatable(model)
        model.data_preprocessor.test_cfg = None  # padding is done here
        self._device = device
        self._fitting = fitting
        self._padding = padding
        self._half = half
        self._sigmoid = learned_by_sigmoid(model)
        self.class_names = class_names

    def prepare(self, image: Pixels) -> Prepared:
        """Resize, as the model's configuration says."""
        return self._fitting.prepare(image)

    def predict(self, batch: NDArray[np.uint8], *, class_maps: bool) -> list[Prediction]:
        """Forward pass. There are no boxes, and `class_maps` changes nothing: the maps are always there."""
        nothing = Detections.empty(len(self.class_names))
        return [
            Prediction(nothing, pixels=Logits(logits, align_corners=self._model.align_corners, sigmoid=self._sigmoid))
            for logits in self._logits(batch)
        ]

    @torch.inference_mode()
    def _logits(self, batch: NDArray[np.uint8]) -> Tensor:
        """`(B, H, W, 3)` uint8 BGR -> `(B, K, H, W)`."""
        height, width = batch.shape[1:3]
        images = list(torch.from_numpy(batch).permute(0, 3, 1, 2))
        inputs = self._model.data_preprocessor({"inputs": images}, False)["inputs"]
        more_height, more_width = self._padding.around(height, width)
        inputs = pad(inputs, (0, more_width, 0, more_height))
        size = inputs.shape[2:]
        known = [{"ori_shape": size, "img_shape": size, "pad_shape": size} for _ in batch]
        with torch.autocast(self._device.type, torch.float16, enabled=self._half):
            logits: Tensor = self._model.inference(inputs, known)
        return logits[:, :, :height, :width]


def learned_by_sigmoid(model: Any) -> bool:
    """Whether the final maps of a segmentor are of classes that were learned each by itself."""
    head = model.decode_head
    losses = getattr(head[-1] if isinstance(head, torch.nn.ModuleList) else head, "loss_decode", None)
    first = losses[0] if isinstance(losses, torch.nn.ModuleList) else losses
    return bool(getattr(first, "use_sigmoid", False))
