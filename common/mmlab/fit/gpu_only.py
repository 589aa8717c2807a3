"""Rejects models that need a GPU: mmcv has `convex_iou` and `min_area_polygons` in CUDA only."""

from mmengine.config import Config

from common.errors import ConfigError
from common.mmlab.fit.nested import mappings

HEADS = ("CFAHead", "OrientedRepPointsHead", "RotatedRepPointsHead", "SAMRepPointsHead")
"""Heads of mmrotate that find sets of points."""


def check_device(config: Config, *, gpu: bool) -> None:
    """Reject a model that needs a GPU when the task has none.

    Raises:
        ConfigError: the model needs a GPU, and the task has none.
    """
    heads = [str(mapping.get("type")).rpartition(".")[2] for mapping in mappings(config.model)]
    found = next((head for head in heads if head in HEADS), None)
    if found and not gpu:
        raise ConfigError(f"a model with {found} runs on a GPU only, and this task has none; choose another model")
