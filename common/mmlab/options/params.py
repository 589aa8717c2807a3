"""Hyper-parameters that every image on OpenMMLab has, with the names and defaults of the seed documents."""

from abc import abstractmethod
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, ValidationInfo, field_validator

from common.contract import AngleUnit
from common.mining.params import (
    AlgorithmName,
    ClassWeights,
    class_weights_parameter,
    mining_algorithm_parameter,
    parse_class_weights,
)
from common.mmlab.options.command_line import parse_args_options, parse_cfg_options
from common.task.mining_settings import MiningSettings
from common.task.params import (
    CandidateOptions,
    CandidateParameters,
    TrainingParameters,
    in_any_case,
    max_bad_images_parameter,
    parameter,
)
from common.weights.zoo import Zoo

LEAST_SIZE = 32
"""Side of the smallest input in pixels: the coarsest map of most detectors has one cell for as many."""


def _size(value: int) -> int:
    if 0 < value < LEAST_SIZE:
        raise ValueError(f"{value} is not allowed (0, or an integer >= {LEAST_SIZE})")
    return value


def _count(value: int) -> int:
    if value == 0:
        raise ValueError("0 is not allowed (-1, or an integer >= 1)")
    return value


def _arguments(value: str) -> str:
    parse_args_options(value)
    return value


def _changes(value: str) -> str:
    parse_cfg_options(value)
    return value


Size = Annotated[int, AfterValidator(_size)]
"""Pixels; 0 leaves the choice to the model."""

Count = Annotated[int, AfterValidator(_count)]
"""How many models to keep; -1: all."""

Changes = Annotated[str, AfterValidator(_changes)]
"""Text that `options.parse_cfg_options` understands."""

_Metrics = Literal["bbox", "proposal"]
_Units = Literal["radian", "pi"]


def batch_size_parameter(default: int) -> Any:
    """`samples_per_gpu`, with the default of the image."""
    return parameter(
        default,
        "images a GPU in a batch; double it while less than half of the memory is used",
        "每张 GPU 一次处理的图片数量；显存占用低于 50% 时可加倍",
        ge=1,
    )


def amp_parameter(default: bool) -> Any:
    """`amp`, with the default of the image."""
    return parameter(
        default, "mixed precision on a GPU: faster, and less memory", "在 GPU 上使用混合精度：更快，显存更少"
    )


def mining_confidence_parameter() -> Any:
    """`conf_threshold` of mining."""
    return parameter(
        0.1,
        "least confidence of a detection; weaker ones do not disturb the mining algorithm",
        "推理结果置信度过滤阈值；0 可保存所有结果，0.1 可避免挖掘算法受低置信度结果影响",
        ge=0,
        le=1,
    )


def args_options_parameter() -> Any:
    """`args_options`."""
    return parameter(
        "",
        "arguments of OpenMMLab's tools/train.py: --amp, --seed 1, --deterministic, --cfg-options key=value ...",
        "OpenMMLab tools/train.py 的命令行参数：--amp、--seed 1、--deterministic、--cfg-options key=value ...",
    )


def cfg_options_parameter(example: str = "model.test_cfg.score_thr=0.01") -> Any:
    """`cfg_options`, with a change that makes sense for the image."""
    return parameter(
        "",
        f"changes to the configuration: key=value ..., such as {example}; they win over all else",
        f"修改配置：key=value ...，如 {example}；优先于其他所有设置",
    )


class _Fit(TrainingParameters):
    """How a training runs: the parameters that come before those of an evaluation."""

    samples_per_gpu: int = batch_size_parameter(8)
    workers_per_gpu: int = parameter(4, "processes a GPU that read images", "每张 GPU 对应的数据读取进程数", ge=0)
    max_epochs: int = parameter(100, "passes over the training set", "遍历训练集的次数", ge=1)
    amp: bool = amp_parameter(True)
    args_options: Annotated[str, AfterValidator(_arguments)] = args_options_parameter()
    cfg_options: Changes = cfg_options_parameter()


class _Metric(_Fit):
    """The choice of an evaluation."""

    metric: Annotated[_Metrics, in_any_case(_Metrics)] = parameter(
        "bbox",
        "bbox: mean average precision (mAP); proposal: also mAR, the average recall whatever the class",
        "模型评测方式，bbox：平均精度 mAP；proposal：另外给出不分类别的平均召回率 mAR",
    )


class MmlabTraining(_Fit):
    """Training. An image adds the parameter that chooses the configuration.

    Attributes:
        package: whose configurations these are: `mmyolo`, `mmdet` or `mmrotate`.
        zoo: the packaged weights by key of the configuration.
    """

    package: ClassVar[str]
    zoo: ClassVar[Zoo]

    img_size: Size = parameter(
        0,
        "longer side of the model's input in pixels, at least 32; 0: that of the model's own configuration",
        "模型输入的长边（像素），至少 32；0 表示采用模型配置中的大小",
        ge=0,
    )
    val_interval: int = parameter(1, "epochs between evaluations", "模型在验证集上评测的周期（epoch）", ge=1)
    max_keep_checkpoints: Count = parameter(
        1,
        "k: keep the k best and the k latest models; -1: as many as the platform takes",
        "设置为 k，可保存 k 个最优和 k 个最新的权重文件；-1 表示平台允许的最大数量",
        ge=-1,
    )
    max_bad_images: float = max_bad_images_parameter()

    @property
    @abstractmethod
    def config_key(self) -> str:
        """The chosen configuration: a key of `configs.config_files(package)`."""


class UprightTraining(MmlabTraining, _Metric):
    """Training of a detector of upright boxes."""


class MmlabInfer(CandidateParameters):
    """Inference.

    Attributes:
        package: see `MmlabTraining`.
    """

    package: ClassVar[str]

    conf_threshold: float = parameter(
        0.2,
        "least confidence of a detection; 0 keeps all, 0.6 only a few",
        "推理结果置信度过滤阈值；0 可保存所有结果，0.6 可过滤大量结果",
        ge=0,
        le=1,
    )
    iou_threshold: float = parameter(
        0.65,
        "IoU above which the weaker of two boxes of a class is dropped (NMS), where the model has such a step",
        "nms 的 iou 阈值（仅用于有 nms 的模型）",
        ge=0,
        le=1,
    )
    img_size: Size = parameter(
        0,
        "longer side of the model's input in pixels, at least 32; 0: that which it was trained with",
        "模型输入的长边（像素），至少 32；0 表示与训练一致",
        ge=0,
    )
    samples_per_gpu: int = batch_size_parameter(8)
    workers_per_gpu: int = parameter(
        4, "threads a GPU that read and decode images", "每张 GPU 对应的数据读取线程数", ge=0
    )
    cfg_options: Changes = cfg_options_parameter()
    max_bad_images: float = max_bad_images_parameter()

    def options(self) -> CandidateOptions:
        """See `CandidateParameters`."""
        return CandidateOptions("", self.samples_per_gpu, self.workers_per_gpu, self.max_bad_images)


class MmlabMining(MmlabInfer):
    """Mining, alone or together with inference."""

    conf_threshold: float = mining_confidence_parameter()
    mining_algorithm: AlgorithmName = mining_algorithm_parameter("entropy")
    class_distribution_scores: ClassWeights = class_weights_parameter()

    def options(self) -> CandidateOptions:
        """See `CandidateParameters`."""
        weights = parse_class_weights(self.class_distribution_scores)
        return replace(super().options(), algorithm=self.mining_algorithm, mining=MiningSettings(class_weights=weights))


OWN_THRESHOLD = -1.0
"""An `iou_threshold` that leaves the choice to the model."""


def _unit_or_own(value: str) -> str:
    if value.lower() not in ("", *AngleUnit):
        raise ValueError(f"{value!r} is not allowed (empty, or one of {', '.join(AngleUnit)})")
    return value.lower()


def _share_or_own(value: float) -> float:
    if value != OWN_THRESHOLD and not 0 <= value <= 1:
        raise ValueError(f"{value:g} is not allowed ({OWN_THRESHOLD:g}, or a number >= 0 <= 1)")
    return value


class RotatedTraining(MmlabTraining):
    """Training of a detector of rotated boxes."""

    amp: bool = amp_parameter(False)
    img_size: Size = parameter(
        512,
        "longer side of the model's input in pixels, at least 32; 0: that of the model's own configuration",
        "模型输入的长边（像素），至少 32，一般取 512、640、1024；0 表示采用模型配置中的大小",
        ge=0,
    )
    angle_unit: Annotated[_Units, in_any_case(_Units)] = parameter(
        "radian",
        "unit of the angles in the annotations; pi: the number times pi is radians",
        "标注中角度的单位，radian：弧度；pi：数值乘以 π 为弧度",
    )


class RotatedInfer(MmlabInfer):
    """Inference with a detector of rotated boxes."""

    iou_threshold: Annotated[float, AfterValidator(_share_or_own)] = parameter(
        OWN_THRESHOLD,
        "IoU of rotated boxes above which the weaker of two of a class is dropped (NMS), 0 to 1; -1: the model's own",
        "旋转框 nms 的 iou 阈值，取值 0 到 1；-1 表示采用模型自身的阈值",
    )
    angle_unit: Annotated[str, AfterValidator(_unit_or_own)] = parameter(
        "",
        "unit of the angles in the result, radian or pi; empty: that of the data set the model was trained with",
        "结果中角度的单位，radian 或 pi；留空表示与训练数据集一致",
    )
    tile_size: Size = parameter(
        0,
        "side in pixels of the tiles that a large image is cut into, at least 32; 0: none",
        "大图切片的边长（像素），至少 32；0 表示不切片",
        ge=0,
    )
    tile_overlap: int = parameter(
        200,
        "pixels that neighbouring tiles share, less than tile_size; at least as long as the objects are",
        "相邻切片重叠的像素数，须小于 tile_size；建议不小于目标的长度",
        ge=0,
    )

    @field_validator("tile_overlap")
    @classmethod
    def _less_than_a_tile(cls, overlap: int, info: ValidationInfo) -> int:
        size = info.data.get("tile_size", 0)
        if 0 < size <= overlap:
            raise ValueError(f"{overlap} is not allowed (less than tile_size, which is {size})")
        return overlap

    def options(self) -> CandidateOptions:
        """See `CandidateParameters`. With tiles a batch is made of those of one image."""
        options = super().options()
        return replace(options, batch_size=1) if self.tile_size else options


class RotatedMining(RotatedInfer, MmlabMining):
    """Mining with a detector of rotated boxes, alone or together with inference."""

    conf_threshold: float = mining_confidence_parameter()
