"""Hyper-parameters of rot-mmrotate-tmi: the rows of the seed document, with defaults of this image's own models."""

from typing import Annotated

from pydantic import AfterValidator
from zoo import MODELS, PACKAGE, ZOO

from common.contract import Verb
from common.mmlab.options.catalogue import find_config
from common.mmlab.options.params import RotatedInfer, RotatedMining, RotatedTraining
from common.task.params import TrainingParameters, parameter


def _known(name: str) -> str:
    try:
        find_config(name, PACKAGE, MODELS)
    except ValueError as error:  # the seed document's default is a model of another image
        raise ValueError(f"{error}; short names: {', '.join(MODELS)}") from None
    return name


class Model(TrainingParameters):
    """The parameter that chooses the model. As the second base, it comes before the other parameters of the first."""

    model_name: Annotated[str, AfterValidator(_known)] = parameter(
        "rtmdet_tiny",
        "rtmdet_tiny, rtmdet_s, rtmdet_m or rtmdet_l, with _ms behind it for multi-scale weights, or any mmrotate configuration",
        "模型简写，如 rtmdet_tiny、rtmdet_s、rtmdet_m、rtmdet_l，加后缀 _ms 采用多尺度预训练权重；或任意 mmrotate 配置文件名",
    )


class Training(RotatedTraining, Model):
    """Training, with the weights that this image packages."""

    package = PACKAGE
    zoo = ZOO

    @property
    def config_key(self) -> str:
        """See `MmlabTraining`."""
        return find_config(self.model_name, PACKAGE, MODELS)


class Infer(RotatedInfer):
    """Inference."""

    package = PACKAGE


class Mining(RotatedMining):
    """Mining, alone or together with inference."""

    package = PACKAGE


PARAMETERS = {Verb.TRAINING: Training, Verb.MINING: Mining, Verb.INFER: Infer}
