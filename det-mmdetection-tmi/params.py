"""Hyper-parameters of det-mmdetection-tmi: the rows of the seed document, and where its defaults are its own."""

from zoo import NAMES, PACKAGE, ZOO

from common.mmlab.options.image import Chooser, detector_parameters

CONFIGURATION = Chooser(
    "config_file",
    PACKAGE,
    NAMES,
    "configs/yolox/yolox_tiny_8x8_300e_coco.py",
    "configuration of any mmdetection detector; advised: a YOLOX one, in short yolox_tiny, yolox_s, yolox_l or yolox_x",
    "mmdetection 配置文件，可选任意检测模型；建议采用 yolox 系列，可简写为 yolox_tiny、yolox_s、yolox_l、yolox_x",
)

PARAMETERS = detector_parameters(CONFIGURATION, ZOO, batch_size=16, amp=False, algorithm="aldd")
