"""Training of a YOLO detector: data set in, stages with weights and ONNX out."""

import logging
import shutil
from pathlib import Path
from typing import Any

import yaml

from common.device import device_of
from common.env import Task
from common.errors import ConfigError, ModelError, NanError
from common.files import write_text
from common.progress import Progress, part
from common.results.stages import BEST, LAST, Periodic, Stages
from common.weights import choose
from common.worker import Rank
from common.yolo.data import write_data
from common.yolo.metrics import metrics_of
from common.yolo.names import detectors
from common.yolo.offline import quiet
from common.yolo.options import parse_options
from common.yolo.params import YoloTraining

log = logging.getLogger(__name__)

STOPPED_EARLY = "stopped-early"
"""Marks a training that the trainer ended before its last epoch, because the metric no longer rose."""

DATA_DONE, FIT_DONE = 0.03, 0.96
"""Progress after the conversion of the data and after the last epoch; the rest is export."""


def train(task: Task, parameters: YoloTraining, rank: Rank, progress: Progress) -> None:
    """Train, or go on training after a kill. See `executor.Family`."""
    quiet()
    device_of(task, rank)
    run = task.scratch / "run"
    last = run / "weights" / "last.pt"
    retention = Periodic(None if parameters.save_best_only else parameters.save_period)
    stages = Stages(task, task.scratch / "stages.json", retention)
    if rank.number == 0:
        _recover(stages, last.parent)
    data = _data(task, parameters, rank, progress)
    arguments = _arguments(task, parameters, run, data)
    if _finished(last):
        log.info("training was finished before; only the export is left")
    else:
        start = last if last.is_file() else _model(task, parameters)
        arguments |= {"model": str(start), "resume": str(last) if last.is_file() else False}
        _fit(task, parameters, arguments, stages, rank, progress)
    if rank.number == 0:
        progress(FIT_DONE)
        _export(stages, parameters, task.scratch / "export")


def _recover(stages: Stages, weights: Path) -> None:
    """Publish what a killed training had saved, but perhaps not yet published."""
    for name, best in (("best.pt", True), ("last.pt", False)):
        if (weights / name).is_file():
            checkpoint = torch_load(weights / name)
            stages.publish(weights / name, checkpoint["epoch"] + 1, metrics_of(checkpoint["train_metrics"]), best=best)


def torch_load(path: Path) -> dict[str, Any]:
    """A checkpoint of our own scratch folder, with its optimizer state."""
    import torch

    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    return checkpoint


def _data(task: Task, parameters: YoloTraining, rank: Rank, progress: Progress) -> Path:
    """Rank 0 converts; the others wait for data.yaml, which is written last."""
    folder = task.scratch / "data"
    if rank.number == 0:
        (folder / "data.yaml").unlink(missing_ok=True)
        return write_data(task, folder, parameters.max_bad_images, part(progress, 0, DATA_DONE))
    from common.worker import wait_for

    return wait_for(folder / "data.yaml")


def _arguments(task: Task, parameters: YoloTraining, run: Path, data: Path) -> dict[str, Any]:
    """Arguments of the trainer. `args_options` comes last and wins."""
    world = max(len(task.gpu_ids), 1)
    return {
        "task": "detect",
        "mode": "train",
        "data": str(data),
        "epochs": parameters.epochs,
        "batch": parameters.batch_size_per_gpu * world,
        "imgsz": parameters.img_size,
        "workers": parameters.num_workers_per_gpu,
        "device": ",".join(map(str, task.gpu_ids)) or "cpu",
        "project": str(run.parent),
        "name": run.name,
        "exist_ok": True,
        "plots": False,
        "verbose": False,
        **parse_options(parameters.args_options),
    }


def _model(task: Task, parameters: YoloTraining) -> Path:
    """What to start from: a `.pt` file of given or packaged weights, or a `.yaml` file."""
    given = choose(task.model_files) if task.model_files else None
    source = given or parameters.zoo.find(parameters.model)
    if source is None:
        log.info("no pretrained weights for %s in this image: training from scratch", parameters.model)
        return _configuration(task.scratch, parameters, parameters.activate or parameters.default_activation)
    architecture = load_weights(source).yaml
    if given is not None:
        log.info("fine-tuning %s; the model is that of the weights, %s", source, Path(architecture["yaml_file"]).stem)
    if (
        not parameters.activate
        or architecture.get("activation", "torch.nn.SiLU()") == f"torch.nn.{parameters.activate}()"
    ):
        return source
    log.warning("activate: %s is not what %s was trained with; expect worse results", parameters.activate, source.name)
    return _with_activation(task.scratch, source, parameters.activate)


def _configuration(folder: Path, parameters: YoloTraining, activation: str) -> Path:
    """A copy of the model's configuration that says the activation. The file name tells ultralytics the scale."""
    from ultralytics.nn.tasks import yaml_model_load

    stem = detectors()[parameters.model]
    content = yaml_model_load(f"{stem}.yaml")
    content["activation"] = f"torch.nn.{activation}()"
    path = folder / f"{stem}.yaml"
    write_text(path, yaml.safe_dump(content, sort_keys=False))
    return path


def _with_activation(folder: Path, source: Path, activation: str) -> Path:
    """A copy of a weights file whose architecture says another activation."""
    import torch

    model = load_weights(source)
    model.yaml["activation"] = f"torch.nn.{activation}()"
    path = folder / "start" / source.name
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model, "train_args": {}}, path)
    return path


def architecture_of(start: Path) -> str:
    """Name of the configuration that a `.pt` or `.yaml` file builds, such as yolov5n."""
    return Path(load_weights(start).yaml["yaml_file"]).stem if start.suffix == ".pt" else start.stem


def load_weights(path: Path) -> Any:
    """The model in an ultralytics weights file.

    Raises:
        ModelError: it is not one: damaged, or a pickle of the yolov5 repository, which ultralytics cannot read.
    """
    quiet()
    from ultralytics.nn.tasks import load_checkpoint

    try:
        model, _ = load_checkpoint(str(path))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "originally trained with" in str(error):
            reason = (
                "it was written by the yolov5 repository, whose classes ultralytics does not have; train it again here"
            )
        raise ModelError(f"{path}: cannot be loaded: {reason}") from error
    if getattr(model, "task", None) != "detect":
        raise ModelError(f"{path}: a model for the task {getattr(model, 'task', None)!r}; this image takes detect")
    return model


def _finished(last: Path) -> bool:
    if not last.is_file():
        return False
    checkpoint = torch_load(last)
    return checkpoint["epoch"] + 1 >= checkpoint["train_args"]["epochs"] or (last.parent / STOPPED_EARLY).is_file()


def _fit(
    task: Task,
    parameters: YoloTraining,
    arguments: dict[str, Any],
    stages: Stages,
    rank: Rank,
    progress: Progress,
) -> None:
    from common.yolo.reporting import Reporter
    from common.yolo.trainer import trainer_for

    try:
        trainer = trainer_for(architecture_of(Path(arguments["model"])))(overrides=arguments)
    except (TypeError, ValueError, SyntaxError) as error:
        raise ConfigError(f"args_options: {error}") from error
    trainer.synchronise = parameters.sync_bn
    reporter = Reporter(task, stages, part(progress, DATA_DONE, FIT_DONE))
    if rank.number == 0:
        reporter.attach(trainer)
    try:
        trainer.train()
    except NotImplementedError as error:  # an optimizer that does not exist
        raise ConfigError(f"args_options: {str(error).splitlines()[0]}") from error
    except RuntimeError as error:
        if "NaN" in str(error):
            raise NanError(f"the loss became NaN and stayed so; a smaller lr0 may help ({error})") from error
        raise
    finally:
        reporter.close()
    if rank.number == 0 and trainer.epoch + 1 < trainer.epochs:
        (trainer.wdir / STOPPED_EARLY).touch()


def _export(stages: Stages, parameters: YoloTraining, folder: Path) -> None:
    """Drop the optimizer state of all stages, and add an ONNX file to the best (and, if there is one, the last)."""
    from common.yolo.export import export_onnx, strip

    folder.mkdir(parents=True, exist_ok=True)
    for name, weights in stages.weights():
        stripped = strip(weights, folder / weights.name)
        stages.replace_file(name, stripped)
        if name in (BEST, LAST):
            stages.replace_file(name, export_onnx(stripped, parameters.img_size, parameters.opset))
    shutil.rmtree(folder)
