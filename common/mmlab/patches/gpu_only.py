"""Models that no CPU runs: mmcv has convex hulls and their IoU (`convex_iou`, `min_area_polygons`) in CUDA alone."""

from mmengine.config import Config

from common.errors import ConfigError
from common.mmlab.fit.nested import mappings

HEADS = ("CFAHead", "OrientedRepPointsHead", "RotatedRepPointsHead", "SAMRepPointsHead")
"""Heads of mmrotate that find sets of points."""


def check_device(config: Config, *, gpu: bool) -> None:
    """Let a model pass that runs on what the task has.

    Raises:
        ConfigError: it needs a GPU, and there is none.
    """
    heads = [str(mapping.get("type")).rpartition(".")[2] for mapping in mappings(config.model)]
    found = next((head for head in heads if head in HEADS), None)
    if found and not gpu:
        raise ConfigError(f"a model with {found} runs on a GPU only, and this task has none; choose another model")
