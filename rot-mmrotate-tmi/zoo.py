"""Models of rot-mmrotate-tmi by short name, and the pretrained weights (DOTA) that OpenMMLab publishes of them."""

from pathlib import Path

from common.weights.zoo import Address, Zoo

PACKAGE = "mmrotate"

MODELS = {
    "rtmdet_tiny": "rotated_rtmdet/rotated_rtmdet_tiny-3x-dota.py",
    "rtmdet_tiny_ms": "rotated_rtmdet/rotated_rtmdet_tiny-3x-dota_ms.py",
    "rtmdet_s": "rotated_rtmdet/rotated_rtmdet_s-3x-dota.py",
    "rtmdet_s_ms": "rotated_rtmdet/rotated_rtmdet_s-3x-dota_ms.py",
    "rtmdet_m": "rotated_rtmdet/rotated_rtmdet_m-3x-dota.py",
    "rtmdet_m_ms": "rotated_rtmdet/rotated_rtmdet_m-3x-dota_ms.py",
    "rtmdet_l": "rotated_rtmdet/rotated_rtmdet_l-3x-dota.py",
    "rtmdet_l_ms": "rotated_rtmdet/rotated_rtmdet_l-3x-dota_ms.py",
}
"""A short name means exactly one configuration of mmrotate. `ms`: the weights have seen images of several scales."""

PUBLISHED = {
    "rtmdet_tiny": "rotated_rtmdet_tiny-3x-dota-9d821076",
    "rtmdet_tiny_ms": "rotated_rtmdet_tiny-3x-dota_ms-f12286ff",
    "rtmdet_s": "rotated_rtmdet_s-3x-dota-11f6ccf5",
    "rtmdet_s_ms": "rotated_rtmdet_s-3x-dota_ms-20ead048",
    "rtmdet_m": "rotated_rtmdet_m-3x-dota-beeadda6",
    "rtmdet_m_ms": "rotated_rtmdet_m-3x-dota_ms-c71eb375",
}
"""The models of the seed document, with the file names of its download addresses."""

ZOO = Zoo(
    folder=Path(__file__).resolve().parent / "weights",
    addresses={
        MODELS[model]: Address.of_openmmlab("mmrotate/v1.0/rotated_rtmdet", name) for model, name in PUBLISHED.items()
    },
)
"""By key of the configuration, so that no other configuration gets the weights."""
