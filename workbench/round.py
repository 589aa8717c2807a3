"""One round of active learning: a training, then mining and inference with the model that came out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from common.contract import ObjectType
from workbench.check import Finding
from workbench.masked import Rendered
from workbench.task import Task


@dataclass(frozen=True, eq=False)
class Round:
    """What the report tells about.

    Attributes:
        training: the training task.
        candidates: the mining and inference task, both in one.
        training_seconds: wall-clock time of the training.
        candidate_seconds: wall-clock time of mining and inference, from the start of the process to its end.
        findings: what the checks of both tasks say.
        truth: what is known to be on the candidates, by the base names of their files. May be empty.
    """

    training: Task
    candidates: Task
    training_seconds: float
    candidate_seconds: float
    findings: Sequence[Finding] = ()
    truth: Mapping[str, Rendered] = field(default_factory=dict)

    @property
    def paired(self) -> bool:
        """Whether the truth is shown beside what was found: both have masks, which would hide each other."""
        return bool(self.truth) and self.training.object_type is not ObjectType.DETECTION


def duration(seconds: float) -> str:
    """`9.3 s` or `3 min 52 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
