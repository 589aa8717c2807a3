"""A trained model that a task starts from: a finished training, or files of weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.outputs import read_best_stage, stage_files
from workbench.task import Task


@dataclass(frozen=True, slots=True)
class Model:
    """One stage of a model.

    Attributes:
        files: files of the stage.
        stage: name of the stage.
        class_names: classes that it was trained on; empty if unknown.
    """

    files: Sequence[Path]
    stage: str = "best"
    class_names: Sequence[str] = ()


def trained_model(env_file: Path) -> Model:
    """The best stage of a finished training.

    Raises:
        OSError, ValueError, KeyError: there is no result.yaml, or it breaks the contract.
    """
    task = Task.load(env_file)
    return Model(stage_files(task), read_best_stage(task)["stage_name"], task.class_names)


def read_model(paths: Sequence[Path]) -> Model:
    """Model of the paths that a person gives.

    Args:
        paths: the env.yaml of a finished training, or files of weights.

    Raises:
        ValueError: a file is missing, or the training has no result; the message says what to give.
    """
    if missing := [str(path) for path in paths if not path.is_file()]:
        raise ValueError(f"{', '.join(missing)}: no such file. Give the env.yaml of a finished training, or weights")
    if len(paths) != 1 or paths[0].suffix != ".yaml":
        return Model([path.resolve() for path in paths])
    try:
        return trained_model(paths[0])
    except (OSError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{paths[0]}: it has no training result ({error}). Run the task first") from None
