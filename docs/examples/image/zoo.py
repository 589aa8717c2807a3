"""Pretrained weights of det-torchvision-tmi: COCO, as torchvision publishes them. The hash is in the name."""

from pathlib import Path

from common.weights.zoo import Address, Zoo

FILES = ("ssdlite320_mobilenet_v3_large_coco-a79551df", "ssd300_vgg16_coco-b556d3b4")

ZOO = Zoo(
    folder=Path(__file__).resolve().parent / "weights",
    addresses={
        name.partition("_coco-")[0]: Address(f"https://download.pytorch.org/models/{name}.pth", name[-8:])
        for name in FILES
    },
)
