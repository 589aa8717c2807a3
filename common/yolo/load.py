"""The trained YOLO that a task gives, loaded for inference and mining."""

import logging

from common.mining.registry import check_class_maps
from common.run.device import device_of
from common.run.rank import Rank
from common.task.env import Task
from common.weights.given import check_class_names, choose
from common.yolo.checkpoint import read_weights_for
from common.yolo.params import YoloInfer
from common.yolo.predictor import Settings, YoloPredictor, is_rtdetr
from common.yolo.tasks import TASKS

log = logging.getLogger(__name__)


def load_predictor(task: Task, parameters: YoloInfer, rank: Rank) -> YoloPredictor:
    """Load the given model on this rank's device. See `run.image.Family`.

    Raises:
        ModelError: there are no weights, they cannot be read, or are for another task or number of classes.
        ConfigError: the mining algorithm needs class maps, which the model does not provide.
        NoDeviceError: gpu_id names a GPU that does not exist.
    """
    path = choose(task.model_files)
    model = read_weights_for(path, TASKS[task.object_type])
    check_class_names(path, tuple(model.names.values()), task.class_names)
    if is_rtdetr(model):
        check_class_maps(task.object_type, parameters.options().algorithm, "RT-DETR")
    device = device_of(task, rank)
    log.info("weights: %s on %s", path, device)
    return YoloPredictor(model, device, settings_of(parameters))


def settings_of(parameters: YoloInfer) -> Settings:
    """The part of the parameters that a predictor needs."""
    return Settings(
        img_size=parameters.img_size,
        conf_thres=parameters.conf_thres,
        iou_thres=parameters.iou_thres,
        square=parameters.plain_resize,
        pin_memory=parameters.pin_memory,
    )
