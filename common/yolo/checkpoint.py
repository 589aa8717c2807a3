"""Checkpoints of ultralytics: of our own trainings, and given ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from common.errors import ModelError
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
    import torch

    checkpoint: Checkpoint = torch.load(path, map_location="cpu", weights_only=False)
    return checkpoint


def read_weights(path: Path) -> "BaseModel":
    """Read the model in an ultralytics weights file, whatever its task.

    Raises:
        ModelError: the file is damaged, or a pickle of the yolov5 repository, which ultralytics cannot read.
    """
    go_offline()
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
