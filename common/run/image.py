"""Declaration of an image: its name, and its entry points per object type. `start.py` makes one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.contract import ObjectType, Verb
from common.errors import ObjectTypeError
from common.run.entry import Entry

if TYPE_CHECKING:
    from common.loop.predictor import Predictor
    from common.progress import Progress
    from common.run.rank import Rank
    from common.task.env import Task
    from common.task.params import Parameters

    Table = Mapping[Verb, type[Parameters]]
    Train = Callable[[Task, Parameters, Rank, Progress], None]
    LoadPredictor = Callable[[Task, Parameters, Rank], Predictor]

WORKER = "worker"
"""Argument that makes start.py run a rank instead of the parent."""


@dataclass(frozen=True)
class Family:
    """Entry points of an image for one object type. An adapter declares all but the parameters.

    Attributes:
        parameters: the table of hyper-parameters: a class per verb.
        train: called as `(task, parameters, rank, progress)`.
        predictor: called as `(task, parameters, rank)`, returns a `common.loop.predictor.Predictor`.
    """

    parameters: "Entry[Table]"
    train: "Entry[Train]"
    predictor: "Entry[LoadPredictor]"

    def template_verb(self, task: "Task") -> Verb:
        """Verb whose template the platform filled in: mining's, if the task both mines and infers."""
        return next(verb for verb in Verb if verb in task.verbs)

    def parse(self, task: "Task") -> "Parameters":
        """Read and check the hyper-parameters of a task.

        Raises:
            ConfigError: all mistakes at once.
        """
        models = self.parameters.load()
        verb = self.template_verb(task)
        others = [key for model in models.values() for key in model.model_fields]
        return models[verb].parse(task.config, verb, also_known=others)


@dataclass(frozen=True)
class Executor:
    """One executor image.

    Attributes:
        name: name of the image and of its folder.
        start_file: script that runs the image, as parent and as rank.
        families: entry points by object type.
    """

    name: str
    start_file: Path
    families: Mapping[ObjectType, Family]

    def family(self, object_type: ObjectType) -> Family:
        """Return the entry points for the object type of a project.

        Raises:
            ObjectTypeError: this image does not support that type.
        """
        if object_type not in self.families:
            known = ", ".join(item.label for item in self.families)
            raise ObjectTypeError(f"object_type: {object_type.value} is not supported by {self.name} (one of {known})")
        return self.families[object_type]
