"""Hyper-parameters of detectors of rotated boxes, beside those of upright ones."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo, field_validator

from common.contract import AngleUnit
from common.mmlab.options.params import (
    MmlabInfer,
    MmlabMining,
    MmlabTraining,
    Size,
    amp_parameter,
    mining_confidence_parameter,
)
from common.task.params import CandidateOptions, in_any_case, parameter

_Units = Literal["radian", "pi"]

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
        "side in pixels of the tiles that a large image is cut into, at least 32; 0: no tiles",
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
