"""The configuration of one training: the framework's own, fitted to the task."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from common.boxes.convention import Convention
from common.contract import AngleUnit
from common.mmlab.fit.classes import set_classes
from common.mmlab.fit.config import has_rotated_boxes, load_config, merge_options, plain_batch_norm
from common.mmlab.fit.data import Data, set_data
from common.mmlab.fit.image_size import set_image_size
from common.mmlab.fit.schedule import fit_schedule
from common.mmlab.fit.walk import mappings
from common.mmlab.metric import BoxMetric, RotatedBoxMetric
from common.mmlab.options.command_line import parse_args_options, parse_cfg_options
from common.mmlab.options.params import MmlabTraining, RotatedTraining, UprightTraining
from common.mmlab.patches.gpu_only import check_device
from common.task.env import Task

log = logging.getLogger(__name__)


def training_recipe(
    task: Task, parameters: MmlabTraining, key: str, data: Data, run: Path, *, scratch: bool, world: int, gpu: bool
) -> Config:
    """Fit the configuration `key` to a task. `cfg_options` comes last and wins over everything.

    Args:
        key: of `configs.config_files`.
        data: the converted data set.
        run: folder of the runner.
        scratch: whether there are no weights to start from.
        world: number of ranks.
        gpu: whether they compute on GPUs.

    Raises:
        ConfigError: `cfg_options` do not fit it, or it needs a GPU that the task does not have.
    """
    arguments = parse_args_options(parameters.args_options)
    config = load_config(parameters.package, key)
    check_device(config, gpu=gpu)
    set_classes(config, len(task.class_names))
    set_image_size(config, parameters.img_size)
    schedule = fit_schedule(
        config,
        epochs=parameters.max_epochs,
        images=data.images("train"),
        batch=parameters.samples_per_gpu,
        world=world,
    )
    set_data(config, data, task.class_names, parameters.samples_per_gpu, parameters.workers_per_gpu)
    if world == 1 or not gpu:
        plain_batch_norm(config)
    if scratch:
        unfreeze(config)
    interval = min(parameters.val_interval, parameters.max_epochs)
    recall = isinstance(parameters, UprightTraining) and parameters.metric == "proposal"
    set_evaluation(config, data, run, interval=interval, recall=recall)
    if isinstance(parameters, RotatedTraining):
        convention = Convention.of(data.rotated_boxes("train"), AngleUnit(parameters.angle_unit))
        config.rotate_angle = convention.as_dict()
    set_runtime(config, run, world=world, gpu=gpu, amp=parameters.amp or arguments.amp)
    config.randomness = {"seed": arguments.seed or 0, "deterministic": arguments.deterministic}
    merge_options(config, arguments.cfg_options | parse_cfg_options(parameters.cfg_options))
    log.info("%s: %s", Path(key).stem, replace(schedule, learning_rate=config.optim_wrapper.optimizer.lr))
    return config


def unfreeze(config: Config) -> None:
    """Let the whole backbone learn, in place.

    Many configurations freeze its first stages and its batch normalisation, because they start from ImageNet weights.
    Random ones must not be frozen.
    """
    for mapping in mappings(config.model):
        if "frozen_stages" in mapping:
            mapping["frozen_stages"] = -1
        if "norm_eval" in mapping:
            mapping["norm_eval"] = False
        if mapping.get("requires_grad") is False:  # of a norm_cfg
            mapping["requires_grad"] = True


def published(config: Config) -> Config:
    """A copy without the paths of this task, to go with the weights."""
    copy = Config(config.to_dict())
    for split in ("train", "val"):
        _forget_paths(copy[f"{split}_dataloader"].dataset)
    copy.pop("val_evaluator")
    copy.pop("work_dir")
    return copy


def _forget_paths(dataset: ConfigDict) -> None:
    if "ann_file" in dataset:
        dataset.update(ann_file="", data_root="")
    else:
        _forget_paths(dataset.dataset)


def set_evaluation(config: Config, data: Data, run: Path, *, interval: int, recall: bool) -> None:
    """The platform's metrics after every `interval` epochs and the last one, in place; nothing is tested afterwards.

    Args:
        recall: also that of upright boxes.
    """
    documents = {"ground_truth": str(data.document("val")), "collect_dir": str(run / "collect")}
    set_metric(config, {**_metric(config, recall), **documents}, interval)


def set_metric(config: Config, metric: Mapping[str, Any], interval: int) -> None:
    """Evaluate with one metric after every `interval` epochs or iterations and at the end, in place."""
    config.train_cfg.val_interval = interval
    config.val_cfg = {"type": "ValLoop"}
    config.val_evaluator = dict(metric)
    for name in ("test_dataloader", "test_cfg", "test_evaluator"):
        config.pop(name, None)


def _metric(config: Config, recall: bool) -> dict[str, Any]:
    if has_rotated_boxes(config):
        return {"type": RotatedBoxMetric.__name__}
    return {"type": BoxMetric.__name__, "recall": recall}


def set_runtime(config: Config, run: Path, *, world: int, gpu: bool, amp: bool) -> None:
    """Devices, processes and folders, in place. Checkpoints, logs and pictures are ours; other default hooks stay."""
    config.default_hooks.pop("visualization", None)
    config.default_hooks.update(checkpoint=None, logger=None, timer=None)
    config.work_dir = str(run)
    config.log_level = "ERROR"  # its warnings are about its own defaults
    config.launcher = "pytorch" if world > 1 else "none"
    config.env_cfg = {
        "cudnn_benchmark": gpu and bool(config.get("env_cfg", {}).get("cudnn_benchmark", False)),
        "mp_cfg": {"mp_start_method": "fork", "opencv_num_threads": 0},
        "dist_cfg": {"backend": "nccl" if gpu else "gloo"},
    }
    for split in ("train", "val"):
        config[f"{split}_dataloader"].pin_memory = gpu
    if world > 1 and not gpu:
        config.model_wrapper_cfg = {"type": "MMDistributedDataParallel", "device_ids": None, "broadcast_buffers": False}
    for name in ("loss_scale", "dtype"):  # of configurations with mixed precision of their own
        config.optim_wrapper.pop(name, None)
    config.optim_wrapper.type = "OptimWrapper"
    if gpu and amp:
        config.optim_wrapper.update(type="AmpOptimWrapper", loss_scale="dynamic")
