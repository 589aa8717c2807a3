"""Pretrained weights of det-yolov5-tmi: COCO, from the releases of the yolov5 repository and of ultralytics."""

from pathlib import Path

from common.weights import yolo
from common.weights.zoo import Zoo

MODELS = ("yolov5n", "yolov5s", "yolov5m", "yolov5l", "yolov5x", "yolov5n6", "yolov5s6", "yolov5m6", "yolov5l6")
"""The models of the seed document, by its names."""

ZOO = Zoo(
    folder=Path(__file__).resolve().parent / "weights", addresses=yolo.detectors(), packaged=("yolov5n", "yolov5s")
)
