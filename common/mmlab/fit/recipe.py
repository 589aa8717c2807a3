"""Makes the configuration of one training: the framework's own, fitted to the task."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.config import Config, ConfigDict

from common.boxes.convention import Convention
from common.contract import AngleUnit
from common.mmlab.fit.classes import set_classes
from common.mmlab.fit.config import has_rotated_boxes, load_config, merge_options, plain_batch_norm
from common.mmlab.fit.data import Data, set_data
from common.mmlab.fit.gpu_only import check_device
from common.mmlab.fit.image_size import set_image_size
from common.mmlab.fit.nested import mappings
from common.mmlab.fit.schedule import fit_schedule
from common.mmlab.metric import BoxMetric, RotatedBoxMetric
from common.mmlab.options.params import AnyTraining, MmlabTraining, UprightTraining
from common.mmlab.options.rotated import RotatedTraining

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """One training, apart from its parameters.

    Attributes:
        folder: of the runner.
        key: of the configuration, see `catalogue.config_files`.
        classes: names of all classes that the model learns.
        scratch: whether there are no weights to start from.
        world: number of ranks.
        gpu: whether they compute on GPUs.
    """

    folder: Path
    key: str
    classes: tuple[str, ...]
    scratch: bool
    world: int
    gpu: bool


def training_recipe(parameters: MmlabTraining, data: Data, run: Run) -> Config:
    """Fit the configuration of a detector to a task. `cfg_options` comes last and overrides everything.

    Args:
        parameters: of the task.
        data: the converted data set.
        run: what to train, and on what.

    Raises:
        ConfigError: `cfg_options` does not fit it, or it needs a GPU that the task does not have.
    """
    config = load_config(parameters.package, run.key)
    check_device(config, gpu=run.gpu)
    set_classes(config, len(run.classes))
    set_image_size(config, parameters.img_size)
    epochs, batch, workers = parameters.max_epochs, parameters.samples_per_gpu, parameters.workers_per_gpu
    schedule = fit_schedule(config, epochs=epochs, images=data.images("train"), batch=batch, world=run.world)
    set_data(config, data, run.classes, batch, workers)
    recall = isinstance(parameters, UprightTraining) and parameters.metric == "proposal"
    set_evaluation(config, data, run.folder, interval=min(parameters.val_interval, epochs), recall=recall)
    if isinstance(parameters, RotatedTraining):
        convention = Convention.of(data.rotated_boxes("train"), AngleUnit(parameters.angle_unit))
        config.rotate_angle = convention.as_dict()
    finish(config, parameters, run)
    log.info("%s: %s", Path(run.key).stem, replace(schedule, learning_rate=config.optim_wrapper.optimizer.lr))
    return config


def finish(config: Config, parameters: AnyTraining, run: Run) -> None:
    """Fit what is the same for every model to a task, in place. `cfg_options` comes last.

    Raises:
        ConfigError: `cfg_options` does not fit the configuration.
    """
    arguments = parameters.args_options.value
    if run.world == 1 or not run.gpu:
        plain_batch_norm(config)
    if run.scratch:
        unfreeze(config)
    set_runtime(config, run.folder, world=run.world, gpu=run.gpu, amp=parameters.amp or arguments.amp)
    config.randomness = {"seed": arguments.seed or 0, "deterministic": arguments.deterministic}
    merge_options(config, arguments.cfg_options | parameters.cfg_options.value)


def unfreeze(config: Config) -> None:
    """Unfreeze the whole backbone, in place.

    Many configurations freeze its first stages and its batch normalisation, because they start from ImageNet weights.
    Random ones must not be frozen.
    """
    for mapping in mappings(config.model):
        if "frozen_stages" in mapping:
            mapping["frozen_stages"] = -1
        if "norm_eval" in mapping:
            mapping["norm_eval"] = False
        if mapping.get("requires_grad") is False:  # in a norm_cfg
            mapping["requires_grad"] = True


def published(config: Config) -> Config:
    """Copy a configuration without the paths of this task, for publication with the weights."""
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
    """Evaluate the platform's metrics after every `interval` epochs and the last one, in place, without a final test.

    Args:
        recall: whether to compute the recall of upright boxes too.
    """
    documents = {"ground_truth": str(data.document("val")), "collect_dir": str(run / "collect")}
    set_metric(config, {**_metric(config, recall), **documents}, interval)


def set_metric(config: Config, metric: Mapping[str, object], interval: int) -> None:
    """Evaluate with one metric after every `interval` epochs or iterations and at the end, in place."""
    config.train_cfg.val_interval = interval
    config.val_cfg = {"type": "ValLoop"}
    config.val_evaluator = dict(metric)
    for name in ("test_dataloader", "test_cfg", "test_evaluator"):
        config.pop(name, None)


def _metric(config: Config, recall: bool) -> dict[str, object]:
    if has_rotated_boxes(config):
        return {"type": RotatedBoxMetric.__name__}
    return {"type": BoxMetric.__name__, "recall": recall}


def set_runtime(config: Config, run: Path, *, world: int, gpu: bool, amp: bool) -> None:
    """Set devices, processes and folders, in place. Checkpoints and logs are ours; other default hooks stay."""
    config.default_hooks.pop("visualization", None)
    config.default_hooks.update(checkpoint=None, logger=None, timer=None)
    config.work_dir = str(run)
    config.log_level = "ERROR"  # mmengine's warnings are about its own defaults
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
    for name in ("loss_scale", "dtype"):  # in configurations with mixed precision of their own
        config.optim_wrapper.pop(name, None)
    config.optim_wrapper.type = "OptimWrapper"
    if gpu and amp:
        config.optim_wrapper.update(type="AmpOptimWrapper", loss_scale="dynamic")
