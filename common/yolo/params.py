"""Hyper-parameters of every ultralytics image, with the names and defaults of the seed documents."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from common.mining.params import (
    AlgorithmName,
    ClassWeights,
    class_weights_parameter,
    mining_algorithm_parameter,
)
from common.task.mining_settings import MiningSettings
from common.task.params import (
    CandidateOptions,
    CandidateParameters,
    MaskTrainingParameters,
    TrainingParameters,
    in_any_case,
    max_bad_images_parameter,
    parameter,
)
from common.task.parsed import AS_TYPED, Parsed, parsed_by
from common.weights.zoo import Zoo
from common.yolo.names import check_detector, check_segmenter
from common.yolo.options import parse_options

ACTIVATIONS = (
    "CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid", "Mish", "PReLU",
    "ReLU", "ReLU6", "RReLU", "SELU", "Sigmoid", "SiLU", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink",
)  # fmt: skip
"""The element-wise activations of `torch.nn` that need no argument."""


def _activation(value: str) -> str:
    """`silu`, `SiLU`, `nn.SiLU()` -> `SiLU`; '' stays."""
    name = value.strip().removeprefix("torch.").removeprefix("nn.").removesuffix("()")
    by_lower = {known.lower(): known for known in ACTIVATIONS}
    if name and name.lower() not in by_lower:
        raise ValueError(f"{value!r} is not an activation (allowed: '' or one of {', '.join(ACTIVATIONS)})")
    return by_lower.get(name.lower(), "")


Activation = Annotated[str, AfterValidator(_activation)]
"""Name of one of `ACTIVATIONS`, or empty."""


TrainerOptions = Annotated[Parsed[dict[str, object]], parsed_by(parse_options), AS_TYPED]
"""Text that `parse_options` understands, and the arguments of the trainer."""


def activation_parameter(from_scratch: str) -> Any:
    """`activate`, empty by default; `from_scratch` is the activation of models without weights."""
    return parameter(
        "",
        f"activation function, such as SiLU or ReLU; empty: that of the weights, or {from_scratch} from scratch",
        f"激活函数，如 SiLU、ReLU；为空时与预训练权重一致，从头训练时为 {from_scratch}",
    )


def square_size_parameter() -> Any:
    """`img_size` of a model with `plain_resize`."""
    return parameter(
        640,
        "side in pixels of the square that every image is resized to, rounded up to a multiple of 32 (64 for P6 models)",
        "所有图像直接缩放成正方形，此为其边长（像素），向上取整到 32 的倍数（P6 模型为 64）",
        ge=32,
    )


class YoloTraining(TrainingParameters):
    """Training.

    Attributes:
        zoo: the packaged weights by name of the model.
        default_activation: activation of a model that is trained from scratch, unless the task gives one.
        plain_resize: whether images are resized to a square as they are, not fitted into it with a border.
        rv1126: whether the models come with files for the tool chain of the RV1126 NPU.
    """

    zoo: ClassVar[Zoo]
    default_activation: ClassVar[str] = "Hardswish"
    plain_resize: ClassVar[bool] = False
    rv1126: ClassVar[bool] = False

    model: Annotated[str, AfterValidator(check_detector)] = parameter(
        "yolov5s",
        "yolov5n (fast) to yolov5x (accurate), yolov5n6 to yolov5x6, or any ultralytics detector such as yolo11n",
        "模型：yolov5n（快）到 yolov5x（准）、yolov5n6 到 yolov5x6，或任意 ultralytics 检测模型，如 yolo11n",
        min_length=1,
    )
    batch_size_per_gpu: int = parameter(
        16,
        "batch size per GPU; double it while less than half of the GPU memory is in use",
        "每张 GPU 一次处理的图片数量；显存占用低于 50% 时可加倍",
        ge=1,
    )
    num_workers_per_gpu: int = parameter(4, "data-loading processes per GPU", "每张 GPU 对应的数据读取进程数", ge=0)
    epochs: int = parameter(100, "passes over the training set", "遍历训练集的次数", ge=1)
    img_size: int = parameter(
        640,
        "side of the model's input in pixels, rounded up to a multiple of 32 (64 for P6 models)",
        "输入模型的图像边长（像素），向上取整到 32 的倍数（P6 模型为 64）",
        ge=32,
    )
    opset: int = parameter(11, "ONNX operator set of the exported model", "导出 onnx 的 opset", ge=9, le=20)
    args_options: TrainerOptions = parameter(
        "--exist-ok",
        "additional trainer arguments: --flag value (YOLOv5) or key=value (ultralytics)",
        "其他训练参数：--flag value（YOLOv5 写法）或 key=value（ultralytics 写法）",
    )
    save_best_only: bool = parameter(
        True,
        "keep the best model only; false: also the last, and one every save_period epochs",
        "只保存最优模型；False 时还保存最后一个以及每 save_period 个 epoch 的模型",
    )
    save_period: int = parameter(
        10,
        "epochs between kept models when save_best_only is false",
        "save_best_only 为 False 时保存模型的间隔（epoch）",
        ge=1,
    )
    sync_bn: bool = parameter(False, "synchronise batch normalisation across GPUs", "是否同步各 GPU 上的归一化层")
    activate: Activation = activation_parameter(default_activation)
    max_bad_images: float = max_bad_images_parameter()


class YoloInfer(CandidateParameters):
    """Inference.

    Attributes:
        plain_resize: see `YoloTraining`.
    """

    plain_resize: ClassVar[bool] = False

    img_size: int = parameter(
        640,
        "longer side of the model's input in pixels, rounded up to a multiple of 32; best as in training",
        "输入图像的长边（像素），向上取整到 32 的倍数；建议与训练一致",
        ge=32,
    )
    conf_thres: float = parameter(0.25, "minimum confidence of a detection", "置信度阈值", ge=0, le=1)
    iou_thres: float = parameter(
        0.45, "IoU above which the weaker of two boxes of a class is dropped (NMS)", "nms 的 iou 阈值", ge=0, le=1
    )
    batch_size_per_gpu: int = parameter(16, "batch size per GPU", "每张 GPU 一次处理的图片数量", ge=1)
    num_workers_per_gpu: int = parameter(
        4, "threads per GPU that read and decode images", "每张 GPU 对应的数据读取线程数", ge=0
    )
    pin_memory: bool = parameter(
        False, "copy batches to the GPU through page-locked memory", "是否使用锁页内存以加快数据拷贝到 GPU"
    )
    max_bad_images: float = max_bad_images_parameter()

    def options(self) -> CandidateOptions:
        """See `CandidateParameters`."""
        return CandidateOptions("", self.batch_size_per_gpu, self.num_workers_per_gpu, self.max_bad_images)


class YoloMining(YoloInfer):
    """Mining, alone or together with inference."""

    mining_algorithm: AlgorithmName = mining_algorithm_parameter("aldd")
    class_distribution_scores: ClassWeights = class_weights_parameter()

    def options(self) -> CandidateOptions:
        """See `CandidateParameters`."""
        weights = self.class_distribution_scores.value
        return replace(super().options(), algorithm=self.mining_algorithm, mining=MiningSettings(class_weights=weights))


class SegmentationTraining(MaskTrainingParameters, YoloTraining):
    """Training of a model of instance segmentation."""

    model: Annotated[str, AfterValidator(check_segmenter)] = parameter(
        "yolov5s-seg",
        "yolov5n-seg (fast) to yolov5x-seg (accurate), or any ultralytics model of instance segmentation such as yolo11n-seg",
        "模型：yolov5n-seg（快）到 yolov5x-seg（准），或任意 ultralytics 实例分割模型，如 yolo11n-seg",
        min_length=1,
    )


_SegmentationNames = Literal["apis", "aldd", "cald", "maskAL", "entropy", "random"]


class SegmentationMining(YoloInfer):
    """Mining with a model of instance segmentation, alone or together with inference."""

    mining_algorithm: Annotated[_SegmentationNames, in_any_case(_SegmentationNames)] = parameter(
        "apis",
        "apis, aldd, cald, maskAL, entropy or random; apis and maskAL look at the masks",
        "挖掘算法：apis、aldd、cald、maskAL、entropy 或 random；apis 和 maskAL 利用掩码",
    )
    class_distribution_scores: ClassWeights = class_weights_parameter()
    mcd_iterations: int = parameter(
        10,
        "forward passes with dropout per image, for maskAL",
        "maskAL 对每张图像进行带 dropout 的推理的次数",
        absent_is_default=True,
        ge=1,
    )

    def options(self) -> CandidateOptions:
        """See `CandidateParameters`."""
        weights = self.class_distribution_scores.value
        settings = MiningSettings(class_weights=weights, passes=self.mcd_iterations)
        return replace(super().options(), algorithm=self.mining_algorithm, mining=settings)
