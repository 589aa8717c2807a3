"""The trained detector that a task gives, loaded for inference and mining."""

import logging
from dataclasses import replace
from functools import partial

from mmengine.config import Config

from common.boxes.convention import SMALLEST_TURNS, Convention
from common.contract import AngleUnit
from common.loop.predictor import Predictor
from common.loop.tiling import TiledPredictor, Tiles
from common.mining.registry import check_class_maps
from common.mmlab.fit.config import merge_options
from common.mmlab.fit.gpu_only import check_device
from common.mmlab.model.checkpoint import Weights, read_weights
from common.mmlab.model.fitting import fitting_of
from common.mmlab.model.heads import class_count, dense_head
from common.mmlab.model.predictor import Limits, MmlabPredictor
from common.mmlab.model.restore import build, class_names_of, config_of
from common.mmlab.model.rotated_nms import nms_iou, suppress
from common.mmlab.model.thresholds import final_step, most_boxes, set_thresholds
from common.mmlab.options.params import MmlabInfer
from common.mmlab.options.rotated import OWN_THRESHOLD, RotatedInfer
from common.mmlab.patches.compat import prepare
from common.run.device import device_of
from common.run.rank import Rank
from common.task.env import Task
from common.weights.given import choose

log = logging.getLogger(__name__)


def load_predictor(task: Task, parameters: MmlabInfer, rank: Rank) -> Predictor:
    """Load the given model on this rank's device. See `run.image.Family`.

    Raises:
        ModelError: there are no weights, they cannot be read, have no configuration, do not fit it, or are for another
            number of classes.
        ConfigError: `cfg_options` does not fit the configuration, the mining algorithm not the detector, or the
            detector needs a GPU and the task has none.
        NoDeviceError: gpu_id names a GPU that does not exist.
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
    """Convention of the results: that of the data set that the model was trained with, if its configuration has it."""
    learned = config.get("rotate_angle")
    convention = Convention.from_dict(learned) if learned else SMALLEST_TURNS
    return replace(convention, unit=AngleUnit(parameters.angle_unit)) if parameters.angle_unit else convention


def configure(weights: Weights, parameters: MmlabInfer) -> Config:
    """Fit the configuration of some weights to a task. `cfg_options` comes last and overrides everything else.

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
