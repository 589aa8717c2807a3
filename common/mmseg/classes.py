"""The classes that a semantic model learns, and a configuration fitted to them."""

from collections.abc import Sequence

from mmengine.config import Config

from common.datasets.label_map_writer import label_map_classes
from common.errors import ConfigError
from common.mmlab.fit.nested import mappings

OF_EDGES = ("STDCHead",)
"""Heads that learn where classes meet. They have two classes whatever the data: edge or not."""


def learned_classes(class_names: Sequence[str], *, ignore_black_area: bool) -> tuple[str, ...]:
    """Names of all classes that a model learns: those of the task and, unless it is ignored, the background.

    Raises:
        ConfigError: there is only one, from which nothing could be distinguished.
        DatasetError: there are too many.
    """
    names = label_map_classes(class_names, ignore_black_area=ignore_black_area)
    if len(names) == 1:
        raise ConfigError(
            f"ignore_black_area: true leaves no other class beside {names[0]!r}; with one class it must be false"
        )
    return names


def set_classes(config: Config, count: int) -> None:
    """Fit all heads to `count` classes, in place.

    Weights of the classes of another data set are dropped. A loss is the mean over the pixels that count: else ignored
    ones, such as what fills up a crop, would weaken it.
    """
    for mapping in mappings(config.model):
        if mapping.get("type") == "CrossEntropyLoss":
            mapping["avg_non_ignore"] = True
        if "num_classes" in mapping and mapping.get("type") not in OF_EDGES:
            mapping["num_classes"] = count
        mapping.pop("class_weight", None)
