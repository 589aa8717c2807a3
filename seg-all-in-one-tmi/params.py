"""Hyper-parameters of seg-all-in-one-tmi: the rows of the seed document, a table for each object type."""

from typing import Annotated

from pydantic import AfterValidator
from zoo import OLD_NAMES, ZOO

from common.contract import Verb
from common.mmlab.options.catalogue import find_config
from common.mmseg.params import PACKAGE, SemanticInfer, SemanticMining, SemanticTraining
from common.task.params import TrainingParameters, parameter
from common.yolo.params import (
    Activation,
    SegmentationMining,
    SegmentationTraining,
    YoloInfer,
    YoloMining,
    YoloTraining,
    activation_parameter,
    square_size_parameter,
)


class DetectionTraining(YoloTraining):
    """Training of a detector, with the three changes of the seed document."""

    zoo = ZOO
    default_activation = "SiLU"
    plain_resize = True
    rv1126 = True

    img_size: int = square_size_parameter()
    activate: Activation = activation_parameter(default_activation)


class DetectionInfer(YoloInfer):
    """Inference with a detector."""

    plain_resize = True

    img_size: int = square_size_parameter()


class DetectionMining(DetectionInfer, YoloMining):
    """Mining with a detector, alone or together with inference."""


DETECTION = {Verb.TRAINING: DetectionTraining, Verb.MINING: DetectionMining, Verb.INFER: DetectionInfer}


def _known(name: str) -> str:
    find_config(name, PACKAGE, OLD_NAMES)
    return name


class Configuration(TrainingParameters):
    """The parameter that chooses the model. As the second base, it comes before the other parameters of the first."""

    config_file: Annotated[str, AfterValidator(_known)] = parameter(
        "configs/fastscnn/fast_scnn_lr0.12_8x4_160k_cityscapes.py",
        "configuration of any mmsegmentation model; advised: FastSCNN, or fcn_hr18s, fcn_hr18 and fcn_hr48 of HRNet",
        "mmsegmentation 配置文件，可选任意语义分割模型；建议采用 fastscnn 系列，或 HRNet 的 fcn_hr18s、fcn_hr18、fcn_hr48",
    )


class Training(SemanticTraining, Configuration):
    """Training of a semantic model, with the weights that this image packages."""

    zoo = ZOO

    @property
    def config_key(self) -> str:
        """See `SemanticTraining`."""
        return find_config(self.config_file, PACKAGE, OLD_NAMES)


SEMANTIC = {Verb.TRAINING: Training, Verb.MINING: SemanticMining, Verb.INFER: SemanticInfer}


class InstanceTraining(SegmentationTraining):
    """Training of a model of instance segmentation."""

    zoo = ZOO
    default_activation = "SiLU"
    rv1126 = True

    activate: Activation = activation_parameter(default_activation)


INSTANCE = {Verb.TRAINING: InstanceTraining, Verb.MINING: SegmentationMining, Verb.INFER: YoloInfer}
