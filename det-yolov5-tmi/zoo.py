"""Pretrained weights of det-yolov5-tmi: COCO, from the ultralytics releases."""

from pathlib import Path

from common.weights.zoo import Address, Zoo

MODELS = ("yolov5n", "yolov5s", "yolov5m", "yolov5l", "yolov5x", "yolov5n6", "yolov5s6", "yolov5m6", "yolov5l6")
"""The models of the seed document, by its names."""

ZOO = Zoo(
    folder=Path(__file__).resolve().parent / "weights",
    # `u`: the anchor-free variant that ultralytics trains. The files of the yolov5 repository itself are pickles of
    # classes that ultralytics does not have.
    addresses={model: Address.of_ultralytics(f"{model}u") for model in (*MODELS, "yolov5x6")},
)
