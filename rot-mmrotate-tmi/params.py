"""Hyper-parameters of rot-mmrotate-tmi: the rows of the seed document, with defaults of this image's own models."""

from zoo import MODELS, PACKAGE, ZOO

from common.mmlab.options.image import Chooser, rotated_parameters

MODEL = Chooser(
    "model_name",
    PACKAGE,
    MODELS,
    "rtmdet_tiny",
    "rtmdet_tiny, rtmdet_s, rtmdet_m or rtmdet_l, with _ms behind it for multi-scale weights, or any mmrotate configuration",
    "模型简写，如 rtmdet_tiny、rtmdet_s、rtmdet_m、rtmdet_l，加后缀 _ms 采用多尺度预训练权重；或任意 mmrotate 配置文件名",
    list_names=True,  # the seed document's default is a model of another image
)

PARAMETERS = rotated_parameters(MODEL, ZOO)
