"""One round of active learning: a training, then mining and inference with the model that came out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.contract import AngleUnit, ObjectType, Verb
from workbench.check import Finding
from workbench.masked import Rendered
from workbench.task import Task


@dataclass(frozen=True, eq=False)
class Story:
    """Tasks that a report is about: a training, a task of candidates, or both.

    Attributes:
        training: the training task.
        candidates: the task that mines, infers, or does both in one.
        findings: findings of the checks.
        truth: true objects of the candidates, by the base names of their files. May be empty.
        picture: the same as one picture, if there is one.
    """

    training: Task | None = None
    candidates: Task | None = None
    findings: Sequence[Finding] = ()
    truth: Mapping[str, Rendered] = field(default_factory=dict)
    picture: Path | None = None

    @property
    def tasks(self) -> list[Task]:
        """The tasks, in their order."""
        return [task for task in (self.training, self.candidates) if task is not None]

    @property
    def both(self) -> tuple[Task, Task]:
        """The two tasks of a whole round."""
        assert self.training is not None
        assert self.candidates is not None
        return self.training, self.candidates

    @property
    def object_type(self) -> ObjectType:
        """Object type of the project."""
        return self.tasks[0].object_type

    @property
    def class_names(self) -> list[str]:
        """The classes in the order of their indices."""
        return self.tasks[0].class_names

    @property
    def radians(self) -> float:
        """Radians per unit of the predicted angles: the unit of the task, else of the training, else radians.

        A model that was trained elsewhere may have a unit of its own, which is in no file of the task.
        """
        said = [str(task.config.get("angle_unit") or "") for task in reversed(self.tasks)]
        return AngleUnit(next(filter(None, said), AngleUnit.RADIAN).lower()).radians

    def asked(self, verb: Verb) -> bool:
        """True if one of the tasks did it."""
        return any(verb in task.verbs for task in self.tasks)

    @property
    def paired(self) -> bool:
        """True if the truth is shown beside the predictions: both have masks, which would hide each other."""
        return bool(self.truth) and self.object_type is not ObjectType.DETECTION


def duration(seconds: float) -> str:
    """`9.3 s` or `3 min 52 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
