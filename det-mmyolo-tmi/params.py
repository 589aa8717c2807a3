"""Hyper-parameters of det-mmyolo-tmi: the rows of the seed document. Defaults are those of the OpenMMLab family."""

from typing import Annotated

from pydantic import AfterValidator
from zoo import MODELS, PACKAGE, ZOO

from common.contract import Verb
from common.mmlab.options.catalogue import find_config
from common.mmlab.options.params import MmlabInfer, MmlabMining, UprightTraining
from common.task.params import TrainingParameters, parameter


def _known(name: str) -> str:
    find_config(name, PACKAGE, MODELS)
    return name


class Model(TrainingParameters):
    """The parameter that chooses the model. As the second base, it comes before the other parameters of the first."""

    model_name: Annotated[str, AfterValidator(_known)] = parameter(
        "yolov8_n",
        "yolov5_n, yolov6_t, yolov7_tiny, yolov8_s, yolox_tiny, rtmdet_m, ppyoloe_plus_s, ... or any mmyolo configuration",
        "模型简写，如 yolov5_n、yolov6_t、yolov7_tiny、yolov8_s、yolox_tiny、rtmdet_m、ppyoloe_plus_s，或任意 mmyolo 配置文件名",
    )


class Training(UprightTraining, Model):
    """Training, with the weights that this image packages."""

    package = PACKAGE
    zoo = ZOO

    @property
    def config_key(self) -> str:
        """See `MmlabTraining`."""
        return find_config(self.model_name, PACKAGE, MODELS)


class Infer(MmlabInfer):
    """Inference."""

    package = PACKAGE


class Mining(MmlabMining):
    """Mining, alone or together with inference."""

    package = PACKAGE


PARAMETERS = {Verb.TRAINING: Training, Verb.MINING: Mining, Verb.INFER: Infer}
