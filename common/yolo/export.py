"""Exports a finished checkpoint: weights without training state, and ONNX."""

import logging
import warnings
from pathlib import Path

from common.yolo.offline import go_offline

log = logging.getLogger(__name__)


def strip(checkpoint: Path, target: Path) -> Path:
    """Copy a checkpoint without optimizer and other training state; about a third of the size.

    Already stripped checkpoints are copied as they are.
    """
    go_offline()
    from ultralytics.utils.torch_utils import strip_optimizer

    strip_optimizer(str(checkpoint), str(target))
    return target


def export_onnx(weights: Path, img_size: int, opset: int) -> Path:
    """Write `<weights>.onnx`: input `images` (1, 3, S, S) float32 RGB in [0, 1], output `output0` (1, 4 + K, N).

    The output holds boxes (centre x, centre y, width, height, in input pixels) and K class probabilities; non-maximum
    suppression is left to the reader. A model of instance segmentation has m coefficients behind the probabilities, and
    a second output `output1` (1, m, S / 4, S / 4): the prototypes that they multiply.

    Args:
        weights: an ultralytics `.pt` file.
        img_size: S, rounded up to the stride of the model.
        opset: ONNX operator set.
    """
    go_offline()
    from ultralytics import YOLO

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's warnings while it traces are about its own operators
        exported = YOLO(str(weights)).export(
            format="onnx", imgsz=img_size, opset=opset, simplify=False, device="cpu", verbose=False
        )
    return Path(str(exported))
