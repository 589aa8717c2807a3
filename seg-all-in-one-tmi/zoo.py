"""Names of seg-all-in-one-tmi's configurations, and the pretrained weights that OpenMMLab and ultralytics publish."""

from pathlib import Path

from common.weights import yolo
from common.weights.zoo import Address, Zoo

OLD_NAMES = {
    "fastscnn/fast_scnn_lr0.12_8x4_160k_cityscapes.py": "fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024.py",
    **{
        f"hrnet/fcn_{width}_512x1024_{length}_cityscapes.py": f"hrnet/fcn_{width}_4xb2-{length}_cityscapes-512x1024.py"
        for length in ("40k", "80k", "160k")
        for width in ("hr18s", "hr18", "hr48")
    },
}
"""The semantic models of the seed document by the names that it has, from before mmsegmentation 1."""

PUBLISHED = {
    "fastscnn": ("fast_scnn_lr0.12_8x4_160k_cityscapes_20210630_164853-0cec9937",),
    "hrnet": (
        "fcn_hr18s_512x1024_40k_cityscapes_20200601_014216-93db27d0",
        "fcn_hr18_512x1024_40k_cityscapes_20200601_014216-f196fb4e",
        "fcn_hr48_512x1024_40k_cityscapes_20200601_014240-a989b146",
        "fcn_hr18s_512x1024_80k_cityscapes_20200601_202700-1462b75d",
        "fcn_hr18_512x1024_80k_cityscapes_20200601_223255-4e7b345e",
        "fcn_hr48_512x1024_80k_cityscapes_20200601_202606-58ea95d6",
        "fcn_hr18s_512x1024_160k_cityscapes_20200602_190901-4a0797ea",
        "fcn_hr18_512x1024_160k_cityscapes_20200602_190822-221e4a4f",
        "fcn_hr48_512x1024_160k_cityscapes_20200602_190946-59b7973e",
    ),
}
"""Their weights (Cityscapes) by family, with the file names of the seed document's download addresses."""

SERVER_FOLDERS = {"fastscnn": "fast_scnn", "hrnet": "hrnet"}

DETECTORS = ("yolov5n", "yolov5s", "yolov5m", "yolov5l", "yolov5x", "yolov5n6", "yolov5s6", "yolov5m6", "yolov5l6")
"""The detectors of the seed document by its names."""

ZOO = Zoo(
    folder=Path(__file__).resolve().parent / "weights",
    addresses={
        OLD_NAMES[f"{family}/{name.rsplit('_', 2)[0]}.py"]: Address.of_openmmlab(
            f"mmsegmentation/v0.5/{SERVER_FOLDERS[family]}", name
        )
        for family, names in PUBLISHED.items()
        for name in names
    }
    | yolo.detectors()
    | yolo.segmenters(),
    packaged=("fastscnn/*", "hrnet/*", "yolov5n", "yolov5s"),
)
"""By key of the configuration for mmsegmentation, so that no other gets the weights, and by model for ultralytics."""
