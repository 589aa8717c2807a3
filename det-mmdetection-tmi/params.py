"""Hyper-parameters of det-mmdetection-tmi: the rows of the seed document, and where its defaults are its own."""

from typing import Annotated

from pydantic import AfterValidator
from zoo import NAMES, PACKAGE, ZOO

from common.contract import Verb
from common.mining.params import AlgorithmName, mining_algorithm_parameter
from common.mmlab.options.catalogue import find_config
from common.mmlab.options.params import MmlabInfer, MmlabMining, UprightTraining, amp_parameter, batch_size_parameter
from common.task.params import TrainingParameters, parameter


def _known(name: str) -> str:
    find_config(name, PACKAGE, NAMES)
    return name


class Configuration(TrainingParameters):
    """The parameter that chooses the model. As the second base, it comes before the other parameters of the first."""

    config_file: Annotated[str, AfterValidator(_known)] = parameter(
        "configs/yolox/yolox_tiny_8x8_300e_coco.py",
        "configuration of any mmdetection detector; advised: a YOLOX one, in short yolox_tiny, yolox_s, yolox_l or yolox_x",
        "mmdetection 配置文件，可选任意检测模型；建议采用 yolox 系列，可简写为 yolox_tiny、yolox_s、yolox_l、yolox_x",
    )


class Training(UprightTraining, Configuration):
    """Training, with the weights that this image packages."""

    package = PACKAGE
    zoo = ZOO

    samples_per_gpu: int = batch_size_parameter(16)
    amp: bool = amp_parameter(False)

    @property
    def config_key(self) -> str:
        """See `MmlabTraining`."""
        return find_config(self.config_file, PACKAGE, NAMES)


class Infer(MmlabInfer):
    """Inference."""

    package = PACKAGE

    samples_per_gpu: int = batch_size_parameter(16)


class Mining(MmlabMining):
    """Mining, alone or together with inference."""

    package = PACKAGE

    samples_per_gpu: int = batch_size_parameter(16)
    mining_algorithm: AlgorithmName = mining_algorithm_parameter("aldd")


PARAMETERS = {Verb.TRAINING: Training, Verb.MINING: Mining, Verb.INFER: Infer}
