"""Hyper-parameters of det-torchvision-tmi."""

from typing import ClassVar, Literal

from zoo import ZOO

from common.contract import Verb
from common.task.params import (
    CandidateOptions,
    CandidateParameters,
    TrainingParameters,
    max_bad_images_parameter,
    parameter,
)
from common.weights.zoo import Zoo


class Training(TrainingParameters):
    """Training, with the weights that this image packages."""

    zoo: ClassVar[Zoo] = ZOO

    model: Literal["ssdlite320_mobilenet_v3_large", "ssd300_vgg16"] = parameter(
        "ssdlite320_mobilenet_v3_large", "the first is small and fast", "模型；前者小而快"
    )
    epochs: int = parameter(100, "passes over the training set", "遍历训练集的次数", ge=1)
    batch_size_per_gpu: int = parameter(16, "batch size", "一次处理的图片数量", ge=2)
    num_workers_per_gpu: int = parameter(4, "threads that read images", "数据读取线程数", ge=0)
    learning_rate: float = parameter(0.001, "of AdamW", "AdamW 的学习率", gt=0)
    max_bad_images: float = max_bad_images_parameter()


class Infer(CandidateParameters):
    """Inference."""

    conf_thres: float = parameter(0.25, "minimum confidence of a detection", "置信度阈值", ge=0, le=1)
    iou_thres: float = parameter(
        0.45, "IoU above which the weaker of two boxes is dropped", "nms 的 iou 阈值", ge=0, le=1
    )
    batch_size_per_gpu: int = parameter(16, "batch size per GPU", "每张 GPU 一次处理的图片数量", ge=1)
    num_workers_per_gpu: int = parameter(4, "threads per GPU that read images", "每张 GPU 的数据读取线程数", ge=0)
    max_bad_images: float = max_bad_images_parameter()

    def options(self) -> CandidateOptions:
        """See `CandidateParameters`."""
        return CandidateOptions("", self.batch_size_per_gpu, self.num_workers_per_gpu, self.max_bad_images)


class Mining(Infer):
    """Mining, alone or together with inference. Not aldd: it needs class maps, and the predictor gives none."""

    mining_algorithm: Literal["entropy", "cald", "random"] = parameter("entropy", "mining algorithm", "挖掘算法")

    def options(self) -> CandidateOptions:
        """See `CandidateParameters`."""
        return CandidateOptions(
            self.mining_algorithm, self.batch_size_per_gpu, self.num_workers_per_gpu, self.max_bad_images
        )


PARAMETERS = {Verb.TRAINING: Training, Verb.MINING: Mining, Verb.INFER: Infer}
