"""Hyper-parameters of det-yolov5-tmi: the rows of the seed document. Defaults are those of the YOLO family."""

from zoo import ZOO

from common.contract import Verb
from common.yolo.params import YoloInfer, YoloMining, YoloTraining


class Training(YoloTraining):
    """Training, with the weights that this image packages."""

    zoo = ZOO


PARAMETERS = {Verb.TRAINING: Training, Verb.MINING: YoloMining, Verb.INFER: YoloInfer}
