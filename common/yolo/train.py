"""Training of a YOLO, for boxes or masks: data set in, stages with weights and ONNX out."""

import logging
import shutil
from pathlib import Path

import yaml

from common.errors import ConfigError, NanError
from common.progress import Progress, part
from common.results.stages import BEST, LAST, Periodic, Stages
from common.run.device import device_of
from common.run.rank import Rank
from common.task.env import Task
from common.yolo.checkpoint import read_checkpoint, read_weights
from common.yolo.data import write_data
from common.yolo.metrics import metrics_of, saved_classes
from common.yolo.offline import go_offline
from common.yolo.options import KEEP_ANCHORS
from common.yolo.params import YoloTraining
from common.yolo.starting_point import starting_point
from common.yolo.tasks import TASKS

log = logging.getLogger(__name__)

STOPPED_EARLY = "stopped-early"
"""Name of the file that marks a training which ended before its last epoch, because the metric no longer rose."""

DATA_DONE, FIT_DONE = 0.01, 0.96
"""Progress after the conversion of the data and after the last epoch; the rest is export."""


def train(task: Task, parameters: YoloTraining, rank: Rank, progress: Progress) -> None:
    """Train, or resume a training that was killed. See `run.image.Family`."""
    go_offline()
    device_of(task, rank)
    run = task.scratch / "run"
    last = run / "weights" / "last.pt"
    retention = Periodic(None if parameters.save_best_only else parameters.save_period)
    stages = Stages(task, task.scratch / "stages.json", retention)
    if rank.number == 0:
        _recover(stages, last.parent, TASKS[task.object_type])
    data = task.scratch / "data" / "data.yaml"
    rank.first(lambda: write_data(task, data.parent), data)
    progress(DATA_DONE)
    arguments = _arguments(task, parameters, run, data)
    if _finished(last):
        log.info("the training was finished before; only the export is left")
    else:
        start = {"model": str(last), "resume": str(last)} if last.is_file() else starting_point(task, parameters)
        arguments = start | arguments
        _fit(task, parameters, arguments, stages, rank, progress)
    if rank.number == 0:
        progress(FIT_DONE)
        _export(stages, parameters, task.scratch / "export")


def _recover(stages: Stages, weights: Path, kind: str) -> None:
    """Publish the checkpoints that a killed training saved, but perhaps did not publish."""
    for name, best in (("best.pt", True), ("last.pt", False)):
        if (weights / name).is_file():
            checkpoint = read_checkpoint(weights / name)
            saved = checkpoint["train_metrics"]
            metrics, classes = metrics_of(kind, saved), saved_classes(saved)
            stages.publish(weights / name, checkpoint["epoch"] + 1, metrics, best=best, classes=classes)


def _arguments(task: Task, parameters: YoloTraining, run: Path, data: Path) -> dict[str, object]:
    """Arguments of the trainer. `args_options` comes last and overrides everything else.

    `overlap_mask` would paint all masks of an image into one map, where an object loses the pixels that smaller ones
    cover, while its box stays: mask and box would no longer be those of the same object.
    """
    world = max(len(task.gpu_ids), 1)
    return {
        "task": TASKS[task.object_type],
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
        "overlap_mask": False,
        **{key: value for key, value in parameters.args_options.value.items() if key != KEEP_ANCHORS},
    }


def head_of(start: Path) -> str:
    """Name of the head that a `.pt` or `.yaml` file builds, such as Detect."""
    built = read_weights(start).yaml if start.suffix == ".pt" else yaml.safe_load(start.read_text(encoding="utf-8"))
    return str(built["head"][-1][2])


def _finished(last: Path) -> bool:
    if not last.is_file():
        return False
    checkpoint = read_checkpoint(last)
    return checkpoint["epoch"] + 1 >= checkpoint["train_args"]["epochs"] or (last.parent / STOPPED_EARLY).is_file()


def _fit(
    task: Task,
    parameters: YoloTraining,
    arguments: dict[str, object],
    stages: Stages,
    rank: Rank,
    progress: Progress,
) -> None:
    from common.run.device import leave_group
    from common.yolo.reporting import Reporter
    from common.yolo.trainer import trainer_for

    try:
        head = head_of(Path(str(arguments["model"])))
        trainer = trainer_for(TASKS[task.object_type], head)(overrides=arguments)
    except (TypeError, ValueError, SyntaxError) as error:
        raise ConfigError(f"args_options: {error}") from error
    trainer.synchronise = parameters.sync_bn
    trainer.plain_resize = parameters.plain_resize
    trainer.fit_anchors = KEEP_ANCHORS not in parameters.args_options.value
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
    leave_group()
    if rank.number == 0 and trainer.epoch + 1 < trainer.epochs:
        (trainer.wdir / STOPPED_EARLY).touch()


def _export(stages: Stages, parameters: YoloTraining, folder: Path) -> None:
    """Drop the optimizer state of all stages, and add an ONNX file to the best (and, if there is one, the last).

    With `rv1126`, the files for that NPU are attached, made from the best one.
    """
    from common.yolo.export import export_onnx, strip
    from common.yolo.rv1126 import SECTION, export_rv1126

    folder.mkdir(parents=True, exist_ok=True)
    for name, weights in stages.weights():
        stripped = strip(weights, folder / weights.name)
        stages.replace_file(name, stripped)
        if name in (BEST, LAST):
            stages.replace_file(name, export_onnx(stripped, parameters.img_size, parameters.opset))
        if name == BEST and parameters.rv1126:
            files = export_rv1126(stripped, folder, parameters.img_size, plain_resize=parameters.plain_resize)
            if files:
                stages.attach(SECTION, files)
    shutil.rmtree(folder)
