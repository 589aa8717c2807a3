"""Imports ultralytics without network, telemetry, progress bars, or anything written to HOME."""

import logging
import os
from typing import TYPE_CHECKING

from common.yolo.pickled import restrict

if TYPE_CHECKING:
    from torch import nn

SWITCHES = {
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
    "NO_ALBUMENTATIONS_UPDATE": "1",
}
"""Environment variables that ultralytics reads while it is imported."""


def go_offline() -> None:
    """Keep ultralytics off the network. Call this before its first import; later calls change nothing.

    On its own it would resolve host names to see whether it is online, post usage events, download fonts and a model
    to check AMP with, install missing packages, and draw progress bars into the log.
    """
    os.environ.update(SWITCHES)
    from PIL import Image
    from ultralytics.engine import trainer
    from ultralytics.utils import LOGGER, SETTINGS, patches, torch_utils

    LOGGER.setLevel(logging.WARNING)
    dict.__setitem__(SETTINGS, "sync", False)  # its own setter would write a file to HOME
    # The AMP check compares a downloaded model with and without AMP. Offline it can only warn and say yes.
    trainer.check_amp = _amp_is_fine
    # Its own `open` tries to install a package for every file that is not an image.
    Image.open = patches._image_open
    # It would run what a model file says.
    restrict()
    # Its default leaves one core idle, half of a machine with two. The parent has shared the cores among the ranks.
    torch_utils.NUM_THREADS = int(os.environ.get("OMP_NUM_THREADS", torch_utils.NUM_THREADS))


def _amp_is_fine(model: "nn.Module") -> bool:
    return bool(next(model.parameters()).is_cuda)
