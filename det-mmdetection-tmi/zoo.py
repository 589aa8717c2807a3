"""Names of det-mmdetection-tmi's configurations, and the pretrained weights (COCO) that OpenMMLab publishes of them."""

from pathlib import Path

from common.weights.zoo import Address, Zoo

PACKAGE = "mmdet"

SIZES = ("nano", "tiny", "s", "m", "l", "x")

MODELS = {f"yolox_{size}": f"yolox/yolox_{size}_8xb8-300e_coco.py" for size in SIZES}
OLD_NAMES = {f"yolox/yolox_{size}_8x8_300e_coco.py": MODELS[f"yolox_{size}"] for size in SIZES}
"""The configurations of the seed document by the names that it has, from before mmdetection 3."""

NAMES = MODELS | OLD_NAMES
"""Names of configurations besides their file names. A name means exactly one."""

PUBLISHED = (
    "yolox_tiny_8x8_300e_coco_20211124_171234-b4047906",
    "yolox_s_8x8_300e_coco_20211121_095711-4592a793",
    "yolox_l_8x8_300e_coco_20211126_140236-d3bd2b23",
    "yolox_x_8x8_300e_coco_20211126_140254-1ef88d67",
)
"""The models of the seed document, with the file names of its download addresses."""

ZOO = Zoo(
    folder=Path(__file__).resolve().parent / "weights",
    addresses={
        OLD_NAMES[f"yolox/{name.rsplit('_', 2)[0]}.py"]: Address.of_openmmlab("mmdetection/v2.0/yolox", name)
        for name in PUBLISHED
    },
)
"""By key of the configuration, so that no other configuration gets the weights."""
