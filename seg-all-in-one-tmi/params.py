"""Hyper-parameters of seg-all-in-one-tmi: the rows of the seed document, a table for each object type."""

from zoo import OLD_NAMES, ZOO

from common.contract import Verb
from common.mmlab.options.image import Chooser
from common.mmseg.params import PACKAGE, semantic_parameters
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


CONFIGURATION = Chooser(
    "config_file",
    PACKAGE,
    OLD_NAMES,
    "configs/fastscnn/fast_scnn_lr0.12_8x4_160k_cityscapes.py",
    "configuration of any mmsegmentation model; advised: FastSCNN, or fcn_hr18s, fcn_hr18 and fcn_hr48 of HRNet",
    "mmsegmentation 配置文件，可选任意语义分割模型；建议采用 fastscnn 系列，或 HRNet 的 fcn_hr18s、fcn_hr18、fcn_hr48",
)

SEMANTIC = semantic_parameters(CONFIGURATION, ZOO)


class InstanceTraining(SegmentationTraining):
    """Training of a model of instance segmentation."""

    zoo = ZOO
    default_activation = "SiLU"
    rv1126 = True

    activate: Activation = activation_parameter(default_activation)


INSTANCE = {Verb.TRAINING: InstanceTraining, Verb.MINING: SegmentationMining, Verb.INFER: YoloInfer}
