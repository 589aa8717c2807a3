"""Keys of a configuration that a user may change, and the alternatives to changing one of the others."""

import difflib
from collections.abc import Mapping

SECTIONS = (
    "activation_checkpointing", "auto_scale_lr", "compile", "custom_hooks", "custom_imports", "data_preprocessor",
    "default_hooks", "default_scope", "efficient_conv_bn_eval", "env_cfg", "experiment_name", "find_unused_parameters",
    "log_level", "log_processor", "model", "model_wrapper_cfg", "optim_wrapper", "param_scheduler", "randomness",
    "sync_bn", "test_cfg", "test_dataloader", "test_evaluator", "train_cfg", "train_dataloader", "val_cfg",
    "val_dataloader", "visualizer",
)  # fmt: skip
"""Sections of a configuration that mmengine's runner reads. Anything else in a file is a variable of that file."""

RENAMED = {
    "optimizer_config.grad_clip": "optim_wrapper.clip_grad",
    "optimizer": "optim_wrapper.optimizer",
    "data.train": "train_dataloader.dataset",
    "data.val": "val_dataloader.dataset",
    "data.test": "test_dataloader.dataset",
    "dist_params": "env_cfg.dist_cfg",
}
"""Beginnings of keys in OpenMMLab's first generation (mmdetection 2), and their present names."""

REFUSED = {
    "work_dir": "the platform gives the output folder",
    "launcher": "the platform gives the GPUs",
    "gpu_ids": "the platform gives the GPUs",
    "load_from": "give the weights as pretrained_model_params",
    "resume": "a restarted task resumes by itself",
    "resume_from": "a restarted task resumes by itself",
    "auto_resume": "a restarted task resumes by itself",
    "train_dataloader.batch_size": "give the parameter samples_per_gpu",
    "data.samples_per_gpu": "give the parameter samples_per_gpu",
    "data.workers_per_gpu": "give the parameter workers_per_gpu",
    "fp16": "give the parameter amp",
    "seed": "give args_options --seed",
    "lr_config": "it is a list now, param_scheduler; give param_scheduler.0 and so on",
}
"""Keys that would break the contract, or contradict a parameter that more depends on than this key."""

EPOCHS = {
    "train_cfg.max_epochs": "give the parameter max_epochs",
    "runner.max_epochs": "give the parameter max_epochs",
    "total_epochs": "give the parameter max_epochs",
    "max_epochs": "give the parameter max_epochs",
    "train_cfg.type": "a training is counted in epochs; give the parameter max_epochs",
    "train_cfg.by_epoch": "a training is counted in epochs; give the parameter max_epochs",
    "train_cfg.max_iters": "a training is counted in epochs; give the parameter max_epochs",
    "runner": "a training is counted in epochs; give the parameter max_epochs",
    "train_cfg.val_interval": "give the parameter val_interval",
    "evaluation": "give the parameters metric and val_interval",
    "val_evaluator": "give the parameters metric and val_interval",
    "default_hooks.checkpoint": "give the parameters max_keep_checkpoints and val_interval",
    "checkpoint_config": "give the parameters max_keep_checkpoints and val_interval",
}
"""Refused keys of a training that is counted in epochs, as that of detectors is."""

ITERATIONS = {
    "train_cfg.max_iters": "give the parameter max_iters",
    "runner.max_iters": "give the parameter max_iters",
    "total_iters": "give the parameter max_iters",
    "max_iters": "give the parameter max_iters",
    "train_cfg.type": "a training is counted in iterations; give the parameter max_iters",
    "train_cfg.by_epoch": "a training is counted in iterations; give the parameter max_iters",
    "train_cfg.max_epochs": "a training is counted in iterations; give the parameter max_iters",
    "runner": "a training is counted in iterations; give the parameter max_iters",
    "train_cfg.val_interval": "give the parameter interval",
    "evaluation": "give the parameter interval",
    "val_evaluator": "give the parameter interval",
    "default_hooks.checkpoint": "give the parameters save_least_file, max_keep_ckpts and interval",
    "checkpoint_config": "give the parameters save_least_file, max_keep_ckpts and interval",
}
"""Refused keys of a training that is counted in iterations, as that of mmsegmentation's models is."""

REFUSED_ANYWHERE = {
    "ann_file": "the platform gives the data",
    "data_prefix": "the platform gives the data",
    "data_root": "the platform gives the data",
    "img_prefix": "the platform gives the data",
    "classes": "the platform gives the classes",
    "metainfo": "the platform gives the classes",
    "num_classes": "the platform gives the classes",
    "reduce_zero_label": "the platform gives the classes",
}
"""Refused parts of a key, in any position."""


def check_key(key: str, counted: Mapping[str, str] = EPOCHS) -> None:
    """Check a dotted key, such as `model.test_cfg.score_thr`.

    Args:
        key: as in `cfg_options`.
        counted: `EPOCHS` or `ITERATIONS`.

    Raises:
        ValueError: it is refused, has another name now, or would have no effect.
    """
    parts = key.split(".")
    beginnings = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]  # the longest one is the most specific
    reasons = [REFUSED_ANYWHERE[part] for part in parts if part in REFUSED_ANYWHERE]
    refused = {**REFUSED, **counted}
    reasons += [refused[beginning] for beginning in beginnings if beginning in refused]
    if reasons:
        raise ValueError(f"{key!r} is not allowed: {reasons[0]}")
    old = next((beginning for beginning in beginnings if beginning in RENAMED), None)
    if old is not None:
        raise ValueError(f"{key!r} was renamed; give {RENAMED[old]}{key.removeprefix(old)}")
    if parts[0] not in SECTIONS:
        near = ", ".join(difflib.get_close_matches(parts[0], SECTIONS, n=3, cutoff=0.0))
        raise ValueError(f"{key!r} would have no effect: nothing reads {parts[0]!r}; nearest: {near}")
