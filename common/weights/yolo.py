"""Published weights of YOLO models (COCO): those of the yolov5 repository, and those of ultralytics."""

from common.weights.zoo import Address

YOLOV5 = "ultralytics/yolov5", "v7.0"
"""Repository and release of the models with anchors."""

ASSETS = "ultralytics/assets", "v8.4.0"
"""Repository and release of all others."""

SIZES = "nsmlx"

NEWEST = ("yolo11", "yolo12", "yolo26")

ANCHORED = tuple(f"yolov5{size}{large}" for large in ("", "6") for size in SIZES)
"""YOLOv5 with anchors; `6`: four scales, for images of 1280 pixels."""

RECORDED = {
    "yolov5n.pt": "4f180cf23ba0717ada0badd6c685026d73d48f184d00fc159c2641284b2ac0a3",
    "yolov5s.pt": "8b3b748c1e592ddd8868022e8732fde20025197328490623cc16c6f24d0782ee",
    "yolov5m.pt": "61d933360ba5a7733a36764996c800287d973889d875227f5beedd2473a97a56",
    "yolov5l.pt": "2f603b7354c25454d1270663a14d8ddc1eea98e5eebc1d84ce0c6e3150fa155f",
    "yolov5x.pt": "9f27a794fa0308e2606f90565164571d6f0a0ba18a3ce2e5e5d323b71c157859",
    "yolov5n6.pt": "496c05a2b991da15acc6c4408c63da287f2513a46c6756618776d4dd71170781",
    "yolov5s6.pt": "95bda9019ada63f37338308d0c81a66047a6fbaba061abaff271ba9334cf2a6f",
    "yolov5m6.pt": "7afe7fa0f29a8351467200a2a5a33c7996d1155ed6636c7edd8ca70b14951c64",
    "yolov5l6.pt": "b357b77f646b0190912985937c44e2923441369d5fda69ba86da2aa919212618",
    "yolov5x6.pt": "257c991b216d625427dc4d9c7c76d6c6d93cf3732797538da34bdc02f97bfef0",
}
"""SHA-256 by file, where it is known. `make weights-sums` prints lines for others, where a release states them."""


def _of(release: tuple[str, str], model: str) -> Address:
    file = f"{model}.pt"
    return Address.of_github(*release, file, RECORDED.get(file, ""))


def detectors() -> dict[str, Address]:
    """Weights of detectors by model. `yolov5n` has anchors; `yolov5nu` is the model without that ultralytics trains."""
    families = {
        "yolov8": SIZES,
        "yolov9": "tsmce",
        "yolov10": "nsmblx",
        "yolo11": SIZES,
        "yolo12": SIZES,
        "yolo26": SIZES,
    }
    others = [f"{family}{size}" for family, sizes in families.items() for size in sizes]
    anchored = {model: _of(YOLOV5, model) for model in ANCHORED}
    return anchored | {model: _of(ASSETS, model) for model in (*(f"{model}u" for model in ANCHORED), *others)}


def segmenters() -> dict[str, Address]:
    """Weights of models of instance segmentation by model."""
    anchored = {f"yolov5{size}-seg": _of(YOLOV5, f"yolov5{size}-seg") for size in SIZES}
    others = [f"{family}{size}-seg" for family in ("yolov8", "yolo11", "yolo26") for size in SIZES]
    return anchored | {model: _of(ASSETS, model) for model in (*others, "yolov9c-seg", "yolov9e-seg")}
