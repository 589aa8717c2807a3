"""What an image is: a name, and what runs for each object type. `start.py` declares it."""

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
"""Argument that makes start.py a rank instead of the parent."""


@dataclass(frozen=True)
class Family:
    """The code that runs for one object type of an image. An adapter declares all but the parameters.

    Attributes:
        parameters: the table of hyper-parameters, a class for each task.
        train: called as `(task, parameters, rank, progress)`.
        predictor: called as `(task, parameters, rank)`, returns a `common.loop.predictor.Predictor`.
    """

    parameters: "Entry[Table]"
    train: "Entry[Train]"
    predictor: "Entry[LoadPredictor]"

    def template_verb(self, task: "Task") -> Verb:
        """Whose template the platform filled in: mining's, when a task both mines and infers."""
        return next(verb for verb in Verb if verb in task.verbs)

    def parse(self, task: "Task") -> "Parameters":
        """The checked hyper-parameters of a task.

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
        name: of the image and its folder.
        start_file: the script that runs it, as parent and as rank.
        families: by object type.
    """

    name: str
    start_file: Path
    families: Mapping[ObjectType, Family]

    def family(self, object_type: ObjectType) -> Family:
        """What runs for a project's object type.

        Raises:
            ObjectTypeError: this image does not support it.
        """
        if object_type not in self.families:
            known = ", ".join(item.label for item in self.families)
            raise ObjectTypeError(f"object_type: {object_type.value} is not supported by {self.name} (one of {known})")
        return self.families[object_type]
