"""The trained semantic model that a task gives, loaded for inference and mining."""

import logging
from typing import Any

from mmengine.config import Config, ConfigDict

from common.datasets.label_map_writer import BACKGROUND
from common.errors import ConfigError, ModelError
from common.loop.predictor import Predictor
from common.mmlab.fit.config import merge_options
from common.mmlab.model.checkpoint import Weights, read_weights
from common.mmlab.model.restore import build, config_of
from common.mmlab.patches.compat import prepare
from common.mmseg.crop import pair, set_windows
from common.mmseg.fitting import fitting_of
from common.mmseg.padding import Padding, set_padding
from common.mmseg.params import SemanticInfer, SemanticMining
from common.mmseg.predictor import SemanticPredictor
from common.run.device import device_of
from common.run.rank import Rank
from common.task.env import Task
from common.weights.given import check_class_names, choose

log = logging.getLogger(__name__)


def load_predictor(task: Task, parameters: SemanticInfer, rank: Rank) -> Predictor:
    """Load the given model on this rank's device. See `run.image.Family`.

    Raises:
        ModelError: there are no weights, they cannot be read, have no configuration, do not fit it, are for another
            number of classes, or give one map for two classes.
        ConfigError: `cfg_options` or `mode` does not fit the configuration.
        NoDeviceError: gpu_id names a GPU that does not exist.
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
    """Fit the configuration of some weights to a task. `cfg_options` comes last and overrides everything else.

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
    """Names of all classes of a model, including the background if it is one.

    Where the file does not list them, they are those of the task, and one more class is the background.

    Args:
        count: number of the model's maps.

    Raises:
        ModelError: there are as many names as maps in neither case, or a single map.
    """
    if count == 1:
        raise ModelError(f"{weights.path}: the model gives a single map; expected one per class")
    names = weights.class_names or task.class_names or tuple(map(str, range(count)))
    if not weights.class_names and len(names) == count - 1:
        names = (*names, BACKGROUND)
    if len(names) != count:
        raise ModelError(f"{weights.path}: trained for {count} classes, but there are {len(names)} names")
    return names
