"""Hyper-parameters of semantic segmentation with mmsegmentation, with the names and defaults of the seed document."""

from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from common.contract import Verb
from common.mmlab.options.allowed_keys import ITERATIONS
from common.mmlab.options.command_line import Arguments, parse_args_options, parse_cfg_options
from common.mmlab.options.image import Chooser, Table
from common.mmlab.options.params import (
    Count,
    Size,
    amp_parameter,
    args_options_parameter,
    batch_size_parameter,
    cfg_options_parameter,
)
from common.task.mining_settings import MiningSettings
from common.task.params import (
    CandidateOptions,
    CandidateParameters,
    MaskTrainingParameters,
    in_any_case,
    max_bad_images_parameter,
    parameter,
)
from common.task.parsed import AS_TYPED, Parsed, parsed_by
from common.weights.zoo import Zoo

PACKAGE = "mmseg"

MODES = ("whole", "slide")
"""Ways to predict an image: all of it at once, or in overlapping windows, one after the other."""


def _mode_or_own(value: str) -> str:
    if value.lower() not in ("", *MODES):
        raise ValueError(f"{value!r} is not allowed (empty, or one of {', '.join(MODES)})")
    return value.lower()


CommandLine = Annotated[Parsed[Arguments], parsed_by(partial(parse_args_options, counted=ITERATIONS)), AS_TYPED]
Changes = Annotated[Parsed[dict[str, object]], parsed_by(partial(parse_cfg_options, counted=ITERATIONS)), AS_TYPED]
"""As those of detectors, for a training that is counted in iterations."""


class SemanticTraining(MaskTrainingParameters):
    """Training. An image adds the parameter that chooses the configuration.

    Attributes:
        package: provides the configurations.
        zoo: the packaged weights by key of the configuration.
        chooser: name of the parameter that chooses the configuration.
    """

    package: ClassVar[str] = PACKAGE
    zoo: ClassVar[Zoo]
    chooser: ClassVar[str]

    samples_per_gpu: int = batch_size_parameter(2)
    workers_per_gpu: int = parameter(2, "data-loading processes per GPU", "每张 GPU 对应的数据读取进程数", ge=0)
    max_iters: int = parameter(
        20000, "training steps, each one batch on every GPU", "训练的迭代次数，每次为所有 GPU 的一个批次", ge=1
    )
    interval: int = parameter(2000, "training steps between evaluations", "模型在验证集上评测的周期（迭代次数）", ge=1)
    args_options: CommandLine = args_options_parameter()
    cfg_options: Changes = cfg_options_parameter("optim_wrapper.optimizer.lr=0.01")
    save_least_file: bool = parameter(
        True,
        "keep the best and the latest model only; false: as many as max_keep_ckpts says",
        "是否只保存最优和最新的权重文件；False 时由 max_keep_ckpts 决定",
    )
    max_keep_ckpts: Count = parameter(
        -1,
        "k: keep the k best and the k latest models if save_least_file is false; -1: as many as the platform accepts",
        "save_least_file 为 False 时，设置为 k 可保存 k 个最优和 k 个最新的权重文件；-1 表示平台允许的最大数量",
        ge=-1,
    )
    ignore_black_area: bool = parameter(
        False,
        "pixels without an object: false, background, which is learned as a class; true, unknown, and left out of loss and metrics",
        "未标注的区域，False：当成背景进行训练；True：忽略，不参与损失和评测",
    )
    img_size: Size = parameter(
        0,
        "longer side in pixels of the crops to train on, at least 32; 0: the crop size of the model's own configuration",
        "训练裁剪块的长边（像素），至少 32；0 表示采用模型配置中的裁剪大小",
        ge=0,
    )
    amp: bool = amp_parameter(False)
    max_bad_images: float = max_bad_images_parameter()

    @property
    def config_key(self) -> str:
        """The chosen configuration: a key of `catalogue.config_files(package)`."""
        chosen: Parsed[str] = getattr(self, self.chooser)
        return chosen.value


class SemanticInfer(CandidateParameters):
    """Inference.

    Attributes:
        package: see `SemanticTraining`.
    """

    package: ClassVar[str] = PACKAGE

    samples_per_gpu: int = batch_size_parameter(2)
    workers_per_gpu: int = parameter(
        2, "threads per GPU that read and decode images", "每张 GPU 对应的数据读取线程数", ge=0
    )
    img_size: Size = parameter(
        0,
        "longer side in pixels that images are resized to, at least 32; 0: the size that the model was evaluated with",
        "图像缩放后的长边（像素），至少 32；0 表示与训练时的评测一致",
        ge=0,
    )
    mode: Annotated[str, AfterValidator(_mode_or_own)] = parameter(
        "",
        "whole: the model sees an image at once; slide: in overlapping windows of the crop size; empty: the model's own",
        "推理方式，whole：整图；slide：以裁剪大小的滑动窗口；留空表示采用模型自身的方式",
    )
    cfg_options: Changes = cfg_options_parameter("model.test_cfg.stride=(256,256)")
    max_bad_images: float = max_bad_images_parameter()

    def options(self) -> CandidateOptions:
        """See `CandidateParameters`."""
        return CandidateOptions("", self.samples_per_gpu, self.workers_per_gpu, self.max_bad_images)


_Algorithms = Literal["RSAL", "RIPU", "entropy", "random"]
_Superpixels = Literal["slico", "slic", "mslic", "seeds"]
_Uncertainties = Literal["BvSB"]


class SemanticMining(SemanticInfer):
    """Mining, alone or together with inference."""

    mining_algorithm: Annotated[_Algorithms, in_any_case(_Algorithms)] = parameter(
        "RSAL",
        "RSAL (superpixels), RIPU (windows), entropy or random",
        "挖掘算法：RSAL（超像素）、RIPU（窗口）、entropy 或 random",
    )
    superpixel_algorithm: Annotated[_Superpixels, in_any_case(_Superpixels)] = parameter(
        "slico", "superpixel algorithm of RSAL", "RSAL 的超像素算法"
    )
    uncertainty_method: Annotated[_Uncertainties, in_any_case(_Uncertainties)] = parameter(
        "BvSB",
        "uncertainty measure of RSAL; BvSB: probability of the second-best class divided by that of the best",
        "RSAL 的不确定性计算方法；BvSB：第二大类别概率与最大类别概率之比",
    )
    max_superpixel_per_image: int = parameter(
        1024, "maximum number of superpixels per image, for RSAL", "RSAL 在一张图像中超像素的数量上限", ge=1
    )
    max_kept_mining_image: int = parameter(
        5000,
        "top-ranked images that people will label: the regions to label are written for these; RSAL derives its threshold from it",
        "挖掘图像数量的上限：为排在最前的这些图像写出需要标注的区域；RSAL 的阈值也由此计算",
        ge=1,
    )
    topk_superpixel_score: int = parameter(
        3, "regions of an image that count towards its score", "一张图像中计入得分的区域数量", ge=1
    )
    class_balance: bool = parameter(True, "RSAL prefers regions of rare classes", "RSAL 是否考虑各类别的平衡性")
    fp16: bool = parameter(True, "half precision on a GPU: faster", "在 GPU 上使用半精度加速")
    ripu_region_radius: int = parameter(
        1,
        "radius r of the square windows of RIPU, whose side is 2 r + 1 pixels",
        "RIPU 的窗口半径 r，窗口边长为 2 r + 1 像素",
        ge=1,
    )

    def options(self) -> CandidateOptions:
        """See `CandidateParameters`."""
        settings = MiningSettings(
            superpixels=self.superpixel_algorithm,
            most_superpixels=self.max_superpixel_per_image,
            kept_images=self.max_kept_mining_image,
            topk=self.topk_superpixel_score,
            class_balance=self.class_balance,
            radius=self.ripu_region_radius,
        )
        return replace(super().options(), algorithm=self.mining_algorithm, mining=settings)


def semantic_parameters(chooser: Chooser, zoo: Zoo) -> Table:
    """Hyper-parameters of an image of semantic models.

    Args:
        chooser: of the configuration.
        zoo: the packaged weights by key of the configuration.
    """
    training = chooser.training(SemanticTraining)
    training.zoo, training.chooser = zoo, chooser.name
    return {Verb.TRAINING: training, Verb.MINING: SemanticMining, Verb.INFER: SemanticInfer}
