"""Hyper-parameters of every image on OpenMMLab, with the names and defaults of the seed documents."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import AfterValidator

from common.mining.params import (
    AlgorithmName,
    ClassWeights,
    class_weights_parameter,
    mining_algorithm_parameter,
)
from common.mmlab.options.command_line import Arguments, parse_args_options, parse_cfg_options
from common.task.mining_settings import MiningSettings
from common.task.params import (
    CandidateOptions,
    CandidateParameters,
    TrainingParameters,
    in_any_case,
    max_bad_images_parameter,
    parameter,
)
from common.task.parsed import AS_TYPED, Parsed, parsed_by
from common.weights.zoo import Zoo

LEAST_SIZE = 32
"""Side of the smallest input in pixels: that of one cell in the coarsest map of most detectors."""


def _size(value: int) -> int:
    if 0 < value < LEAST_SIZE:
        raise ValueError(f"{value} is not allowed (0, or an integer >= {LEAST_SIZE})")
    return value


def _count(value: int) -> int:
    if value == 0:
        raise ValueError("0 is not allowed (-1, or an integer >= 1)")
    return value


Size = Annotated[int, AfterValidator(_size)]
"""Pixels; 0 leaves the choice to the model."""

Count = Annotated[int, AfterValidator(_count)]
"""Number of models to keep; -1: all."""

CommandLine = Annotated[Parsed[Arguments], parsed_by(parse_args_options), AS_TYPED]
"""Text that `parse_args_options` understands, and the arguments."""

Changes = Annotated[Parsed[dict[str, object]], parsed_by(parse_cfg_options), AS_TYPED]
"""Text that `parse_cfg_options` understands, and the values by dotted key."""

_Metrics = Literal["bbox", "proposal"]


def batch_size_parameter(default: int) -> Any:
    """`samples_per_gpu`, with the default of the image."""
    return parameter(
        default,
        "batch size per GPU; double it while less than half of the GPU memory is in use",
        "每张 GPU 一次处理的图片数量；显存占用低于 50% 时可加倍",
        ge=1,
    )


def amp_parameter(default: bool) -> Any:
    """`amp`, with the default of the image."""
    return parameter(
        default, "mixed precision on a GPU: faster, and with less memory", "在 GPU 上使用混合精度：更快，显存更少"
    )


def mining_confidence_parameter() -> Any:
    """`conf_threshold` of mining."""
    return parameter(
        0.1,
        "minimum confidence of a detection, so that weaker ones do not disturb the mining algorithm",
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
    """`cfg_options`, with an example that suits the image."""
    return parameter(
        "",
        f"changes to the configuration: key=value ..., such as {example}; they override everything else",
        f"修改配置：key=value ...，如 {example}；优先于其他所有设置",
    )


class AnyTraining(Protocol):
    """The parameters that every training on OpenMMLab has; see `MmlabTraining`."""

    package: ClassVar[str]
    zoo: ClassVar[Zoo]
    amp: bool
    args_options: Parsed[Arguments]
    cfg_options: Parsed[dict[str, object]]

    @property
    def config_key(self) -> str:
        """The chosen configuration."""


class _Fit(TrainingParameters):
    """Parameters of a training that come before those of its evaluation."""

    samples_per_gpu: int = batch_size_parameter(8)
    workers_per_gpu: int = parameter(4, "data-loading processes per GPU", "每张 GPU 对应的数据读取进程数", ge=0)
    max_epochs: int = parameter(100, "passes over the training set", "遍历训练集的次数", ge=1)
    amp: bool = amp_parameter(True)
    args_options: CommandLine = args_options_parameter()
    cfg_options: Changes = cfg_options_parameter()


class _Metric(_Fit):
    """The parameter of an evaluation."""

    metric: Annotated[_Metrics, in_any_case(_Metrics)] = parameter(
        "bbox",
        "bbox: mean average precision (mAP); proposal: also mAR, the average recall regardless of class",
        "模型评测方式，bbox：平均精度 mAP；proposal：另外给出不分类别的平均召回率 mAR",
    )


class MmlabTraining(_Fit):
    """Training. An image adds the parameter that chooses the configuration.

    Attributes:
        package: provides the configurations: `mmyolo`, `mmdet` or `mmrotate`.
        zoo: the packaged weights by key of the configuration.
        chooser: name of the parameter that chooses the configuration.
    """

    package: ClassVar[str]
    zoo: ClassVar[Zoo]
    chooser: ClassVar[str]

    img_size: Size = parameter(
        0,
        "longer side of the model's input in pixels, at least 32; 0: that of the model's own configuration",
        "模型输入的长边（像素），至少 32；0 表示采用模型配置中的大小",
        ge=0,
    )
    val_interval: int = parameter(1, "epochs between evaluations", "模型在验证集上评测的周期（epoch）", ge=1)
    max_keep_checkpoints: Count = parameter(
        1,
        "k: keep the k best and the k latest models; -1: as many as the platform accepts",
        "设置为 k，可保存 k 个最优和 k 个最新的权重文件；-1 表示平台允许的最大数量",
        ge=-1,
    )
    max_bad_images: float = max_bad_images_parameter()

    @property
    def config_key(self) -> str:
        """The chosen configuration: a key of `catalogue.config_files(package)`."""
        chosen: Parsed[str] = getattr(self, self.chooser)
        return chosen.value


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
        "minimum confidence of a detection; 0 keeps all, 0.6 only a few",
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
        "longer side of the model's input in pixels, at least 32; 0: the size that it was trained with",
        "模型输入的长边（像素），至少 32；0 表示与训练一致",
        ge=0,
    )
    samples_per_gpu: int = batch_size_parameter(8)
    workers_per_gpu: int = parameter(
        4, "threads per GPU that read and decode images", "每张 GPU 对应的数据读取线程数", ge=0
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
        weights = self.class_distribution_scores.value
        return replace(super().options(), algorithm=self.mining_algorithm, mining=MiningSettings(class_weights=weights))
