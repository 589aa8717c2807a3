"""Hyper-parameters of det-mmyolo-tmi: the rows of the seed document. Defaults are those of the OpenMMLab family."""

from zoo import MODELS, PACKAGE, ZOO

from common.mmlab.options.image import Chooser, detector_parameters

MODEL = Chooser(
    "model_name",
    PACKAGE,
    MODELS,
    "yolov8_n",
    "yolov5_n, yolov6_t, yolov7_tiny, yolov8_s, yolox_tiny, rtmdet_m, ppyoloe_plus_s, ... or any mmyolo configuration",
    "模型简写，如 yolov5_n、yolov6_t、yolov7_tiny、yolov8_s、yolox_tiny、rtmdet_m、ppyoloe_plus_s，或任意 mmyolo 配置文件名",
)

PARAMETERS = detector_parameters(MODEL, ZOO)
