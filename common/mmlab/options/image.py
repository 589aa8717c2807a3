"""Makes the table of hyper-parameters of an image of detectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import create_model

from common.contract import Verb
from common.mining.params import AlgorithmName, mining_algorithm_parameter
from common.mmlab.options.catalogue import find_config
from common.mmlab.options.params import (
    MmlabInfer,
    MmlabMining,
    MmlabTraining,
    UprightTraining,
    amp_parameter,
    batch_size_parameter,
)
from common.mmlab.options.rotated import RotatedInfer, RotatedMining, RotatedTraining
from common.task.params import Parameters, TrainingParameters, parameter
from common.task.parsed import AS_TYPED, Parsed, parsed_by
from common.weights.zoo import Zoo

Table = Mapping[Verb, type[Parameters]]

Training = TypeVar("Training", bound=TrainingParameters)


@dataclass(frozen=True, slots=True)
class Chooser:
    """The parameter of a training that chooses the configuration.

    Attributes:
        name: of the parameter.
        package: provides the configurations: `mmyolo`, `mmdet`, `mmrotate` or `mmseg`.
        names: additional names of the image, each with the key of the configuration that it means.
        default: one of the names, or a configuration file.
        en, zh: description in the form.
        list_names: whether the refusal of an unknown name lists all names.
    """

    name: str
    package: str
    names: Mapping[str, str]
    default: str
    en: str
    zh: str
    list_names: bool = False

    def training(self, base: type[Training], **fields: Any) -> type[Training]:
        """The parameters of a training with this one, and `fields` as pydantic's `create_model` takes them.

        A class with this one alone is the second base, which puts it before those that `base` declares.
        """
        field = (Annotated[Parsed[str], parsed_by(self._find), AS_TYPED], parameter(self.default, self.en, self.zh))
        own: dict[str, Any] = {self.name: field}
        bases: tuple[type[Any], ...] = (base, create_model("Chosen", __base__=TrainingParameters, **own))
        model: type[Training] = create_model("Training", __base__=bases, **fields)
        return model

    def _find(self, name: str) -> str:
        try:
            return find_config(name, self.package, self.names)
        except ValueError as error:
            if not self.list_names:
                raise
            raise ValueError(f"{error}; short names: {', '.join(self.names)}") from None


def detector_parameters(
    chooser: Chooser, zoo: Zoo, *, batch_size: int = 8, amp: bool = True, algorithm: str = "entropy"
) -> Table:
    """Hyper-parameters of an image of detectors of upright boxes.

    Args:
        chooser: of the configuration.
        zoo: the packaged weights by key of the configuration.
        batch_size: default of `samples_per_gpu`.
        amp: default.
        algorithm: default of `mining_algorithm`.
    """
    size = (int, batch_size_parameter(batch_size))
    training = chooser.training(UprightTraining, samples_per_gpu=size, amp=(bool, amp_parameter(amp)))
    infer = create_model("Infer", __base__=MmlabInfer, samples_per_gpu=size)
    mining = create_model(
        "Mining",
        __base__=MmlabMining,
        samples_per_gpu=size,
        mining_algorithm=(AlgorithmName, mining_algorithm_parameter(algorithm)),
    )
    return _table(chooser, zoo, training, infer, mining)


def rotated_parameters(chooser: Chooser, zoo: Zoo) -> Table:
    """Hyper-parameters of an image of detectors of rotated boxes. Arguments as `detector_parameters`."""
    training = chooser.training(RotatedTraining)
    infer, mining = create_model("Infer", __base__=RotatedInfer), create_model("Mining", __base__=RotatedMining)
    return _table(chooser, zoo, training, infer, mining)


def _table(
    chooser: Chooser, zoo: Zoo, training: type[MmlabTraining], infer: type[MmlabInfer], mining: type[MmlabMining]
) -> Table:
    training.zoo, training.chooser = zoo, chooser.name
    for model in (training, infer, mining):
        model.package = chooser.package
    return {Verb.TRAINING: training, Verb.MINING: mining, Verb.INFER: infer}
