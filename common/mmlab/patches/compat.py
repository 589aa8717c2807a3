"""Imports OpenMMLab quietly, and makes packages of different years accept each other."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from functools import cache
from pprint import pformat
from typing import TYPE_CHECKING

from common.mmlab.patches import safe_load

if TYPE_CHECKING:
    from mmengine.config import Config

log = logging.getLogger(__name__)

ACCEPTED_MMCV = "2.0.1"
"""Version that mmcv claims while mmyolo 0.6.0 is imported: it refuses any from 2.1 on, but works with the newer one."""

KNOWN_WARNINGS: tuple[tuple[type[Warning], str], ...] = (
    (DeprecationWarning, "invalid escape sequence"),  # docstrings of mmdet, once in a new installation
    (DeprecationWarning, r"`torch\.jit\."),  # torch about itself
    (ImportWarning, ".*MultiScaleDeformableAttention"),  # mmcv, whenever it is imported
    (DeprecationWarning, ".* is deprecated in `"),  # arguments of mmdet's configurations and models, as mmcv sees them
    (DeprecationWarning, "The arguments `dropout` in MultiheadAttention"),
    (UserWarning, "DeprecationWarning: "),  # mmdet about what it calls itself
    (UserWarning, "In MMCV v1.4.4, we modified"),  # whoever uses HSigmoid
    (UserWarning, "Unnecessary conv bias before batch/instance norm"),
    (UserWarning, "Got processor for bboxes, but no transform"),  # YOLOv5's and YOLOv8's colours move no box
    (UserWarning, "Setting (OMP|MKL)_NUM_THREADS environment variable"),  # mmengine, where several ranks train
    (UserWarning, "torch.meshgrid: in an upcoming release"),  # of every detector without anchors, as it starts to run
    (UserWarning, "For binary segmentation, we suggest using"),  # mmsegmentation, of a class and the background
)
"""Warnings of the packages when they are imported and when they build a configuration of their own."""

RUNNING_WARNINGS: tuple[tuple[type[Warning], str], ...] = (
    (FutureWarning, r"`torch\.cuda\.amp\.(autocast|GradScaler)\("),  # mmyolo and mmengine use these old names
    (UserWarning, "The `clip` function does nothing in `(Rotated|Quadri)Boxes`"),  # at every step of a pipeline
    (UserWarning, "DeprecationWarning: "),  # mmdet about what mmrotate calls things
    (UserWarning, "When align_corners=True, the output would more aligned"),  # mmsegmentation, whatever the size is
)
"""Warnings of the packages while models run."""


@cache
def prepare(package: str) -> None:
    """Import a framework and register its modules. Later calls do nothing.

    Nothing uses the network or draws into the log. mmengine's loggers only warn about its own defaults, so they are
    silenced.

    Args:
        package: `mmyolo`, `mmdet`, `mmrotate` or `mmseg`; the first and the third need mmdet, and get both.
    """
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it would ask PyPI for its newest version
    with quiet():
        if package == "mmseg":
            _register_mmseg()
        else:
            _register_mmdet()
        if package == "mmyolo":
            _register_mmyolo()
        if package == "mmrotate":
            _register_mmrotate()
        safe_load.install()
        _quiet_loggers()
        _use_up_warnings()
        _write_configurations_quickly()
    for category, message in RUNNING_WARNINGS:
        warnings.filterwarnings("ignore", message, category)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back known warnings and prints while OpenMMLab imports or builds something.

    Prints go to our own log, for a developer.
    """
    printed = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
        for category, message in KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message, category)
        try:
            yield
        finally:
            for line in printed.getvalue().splitlines():
                log.debug("%s", line)


def _register_mmdet() -> None:
    from mmdet.utils import register_all_modules

    register_all_modules(init_default_scope=False)
    from mmdet.models.dense_heads import SSDHead

    SSDHead.loss_cls = None  # mmdet 3 asks every head for it before it predicts, and SSD's has none


def _register_mmyolo() -> None:
    with _mmcv_as(ACCEPTED_MMCV):
        import mmyolo  # noqa: F401
    from mmyolo.utils import register_all_modules

    register_all_modules(init_default_scope=False)
    import common.mmlab.patches.yolo_hooks  # noqa: F401 registers itself


def _register_mmrotate() -> None:
    from mmrotate.utils import register_all_modules

    register_all_modules(init_default_scope=False)
    import common.mmlab.patches.rotated_dataset  # noqa: F401 registers itself
    from common.mmlab.patches import rotated_iou

    rotated_iou.install()


def _register_mmseg() -> None:
    from mmseg.utils import register_all_modules

    register_all_modules(init_default_scope=False)


@contextlib.contextmanager
def _mmcv_as(version: str) -> Iterator[None]:
    """Have mmcv claim a version in the block."""
    import mmcv

    real = mmcv.__version__
    mmcv.__version__ = version
    try:
        yield
    finally:
        mmcv.__version__ = real


def _quiet_loggers() -> None:
    from mmengine.logging import MMLogger

    MMLogger.get_current_instance().setLevel(logging.ERROR)


def _write_configurations_quickly() -> None:
    """Have `pprint` lay out the text of a configuration: yapf takes seconds, and each checkpoint contains it."""
    from mmengine.config import Config

    Config.pretty_text = property(_text)


def _text(config: "Config") -> str:
    """Text of a configuration, from which it can be read again."""
    sections = config.to_dict().items()
    return "".join(f"{name} = {pformat(value, width=120, sort_dicts=False)}\n" for name, value in sections)


def _use_up_warnings() -> None:
    """Trigger now, while warnings are held back, a warning that torch gives once per process."""
    import torch

    torch.meshgrid(torch.zeros(1), torch.zeros(1))
