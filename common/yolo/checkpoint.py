"""Checkpoints of ultralytics and of the yolov5 repository: of our own trainings, and given ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from common.errors import ModelError
from common.yolo import pickled
from common.yolo.offline import go_offline

if TYPE_CHECKING:
    from ultralytics.nn.tasks import BaseModel


class Checkpoint(TypedDict):
    """The entries that are read of a checkpoint of a training.

    Attributes:
        epoch: the last finished one, counted from 0.
        train_args: arguments of the trainer.
        train_metrics: of that epoch, see `metrics.with_classes`.
    """

    epoch: int
    train_args: dict[str, Any]
    train_metrics: dict[str, Any]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint of our own scratch folder, with its optimizer state."""
    go_offline()
    content = pickled.read(path)
    return Checkpoint(epoch=content["epoch"], train_args=content["train_args"], train_metrics=content["train_metrics"])


def read_weights(path: Path) -> "BaseModel":
    """Read the model in a weights file of ultralytics or of the yolov5 repository, whatever its task.

    Raises:
        ModelError: the file is damaged, is no such file, or would run something.
    """
    go_offline()
    from ultralytics.nn.tasks import load_checkpoint

    from common.yolo.anchored.legacy import is_yolov5, load_yolov5

    if is_yolov5(path):
        return load_yolov5(path)
    try:
        model, _ = load_checkpoint(str(path))
    except ModelError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path}: cannot be loaded: {reason}") from error
    return model


def read_weights_for(path: Path, *tasks: str) -> "BaseModel":
    """Read a model for one of ultralytics' `tasks`.

    Raises:
        ModelError: as `read_weights`, or the model is for another task.
    """
    model = read_weights(path)
    found = getattr(model, "task", None)
    if found not in tasks:
        raise ModelError(f"{path}: a model for the task {found!r}; this project takes {' or '.join(tasks)}")
    return model
