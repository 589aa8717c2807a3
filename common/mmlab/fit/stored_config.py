"""Turns the configuration that a weights file holds into one that can be built, without trusting it."""

import re
import reprlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mmengine.config import Config

from common.mmlab.fit.literal_config import read_literals

USED = ("model", "val_dataloader", "test_dataloader", "default_scope", "rotate_angle")
"""Sections that a trained model needs. The others (data, schedule, hooks) are those of a training that is over."""

RUNNING = ("custom_imports", "_base_", "default_imports")
"""Sections that would import modules or read other files. They must be absent or empty."""

SCOPES = ("mmengine", "mmcv", "mmdet", "mmyolo", "mmrotate", "mmseg", "mmpretrain", "mmcls")
"""Packages whose registries a configuration may name."""

SUPPRESSION = ("nms", "soft_nms", "nms_match", "nms_rotated", "nms_quadri")
"""Functions of mmcv that are named by `type` but are in no registry; mmcv evaluates the name."""

POOLING = (
    *("RoIAlign", "RoIPool", "RoIAlignRotated", "RiRoIAlignRotated", "DeformRoIPool", "DeformRoIPoolPack"),
    *("ModulatedDeformRoIPool", "ModulatedDeformRoIPoolPack"),
)
"""Layers of mmcv that are named by `type` but are in no registry."""

WORDS = ("dilation", "offset", "conv", "interpolation_conv", "last_conv")
"""Values of `type` that choose a variant of a layer (AdaptiveConv, FPG), and name nothing."""

LOADING = ("KnowledgeDistillationSingleStageDetector", "VPD", "RFSearchHook", "CameraMotionCompensation")
"""Registered types that read other files or evaluate text of their configuration."""

FILES = ("checkpoint", "pretrained", "teacher_ckpt", "ckpt_path", "load_from", "resume_from")
"""Keys of files to start a training from. A trained model does without them, so they are dropped."""

VALUES = 100_000
"""Values of a configuration; those of OpenMMLab's packages have a few thousand."""

PLAIN = (str, int, float, bool, type(None))


def stored(config: Config) -> dict[str, Any]:
    """Plain data of a configuration, to be kept in a weights file."""
    plain: dict[str, Any] = config.to_dict()
    return plain


def read_stored(content: object) -> Config:
    """Make a configuration of plain data or of printed text.

    Args:
        content: a dictionary as `stored` gives it, or text as mmengine and mmcv print a configuration.

    Raises:
        ValueError: it is neither, or holds anything but data and registered types; the message names the key.
    """
    if isinstance(content, str):
        content = read_literals(content)
    if not isinstance(content, Mapping):
        raise ValueError(f"expected a dictionary or text, found {type(content).__name__}")
    for name in RUNNING:
        if content.get(name):
            raise ValueError(f"{name}: {_short(content[name])} would import modules or read other files")
    used = {name: content[name] for name in USED if name in content}
    left = iter(range(VALUES))
    return Config({name: _checked(name, value, left) for name, value in used.items()})


def check_value(key: str, value: object) -> None:
    """Check one value of a configuration that has the meaning of code to OpenMMLab.

    Args:
        key: dotted, such as `model.backbone.type`.
        value: of the key.

    Raises:
        ValueError: the value names a type that is not registered, or a package that is not OpenMMLab's.
    """
    last = key.rpartition(".")[2]
    if last in ("_scope_", "default_scope") and value is not None and value not in SCOPES:
        raise ValueError(f"{key}: {_short(value)} is not a package of OpenMMLab")
    if last != "type":
        return
    if not isinstance(value, str):
        raise ValueError(f"{key}: {_short(value)} is not the name of a type")
    scope, _, name = value.rpartition(".")
    if name in LOADING:
        raise ValueError(f"{key}: {name} reads other files or runs text of its configuration")
    if (scope and scope not in SCOPES) or name not in registered():
        raise ValueError(f"{key}: {_short(value)} is not in OpenMMLab's registries; other code is not run")


def _checked(key: str, value: object, left: Iterator[int]) -> Any:
    """Copy a part of a configuration, with every value checked and files to start from dropped.

    Args:
        key: of the part, dotted.
        value: of the part.
        left: counts the values that may still come.
    """
    if next(left, None) is None or key.count(".") > 100:
        raise ValueError(f"{key[:80]}: more than {VALUES} values, or nested too deeply")
    check_value(key, value)
    if isinstance(value, dict):
        names = [name for name in value if not _is_file(name, value[name])]
        return {_name(key, name): _checked(f"{key}.{name}", value[name], left) for name in names}
    if isinstance(value, list | tuple):
        items = [_checked(f"{key}.{i}", item, left) for i, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if type(value) not in PLAIN:
        raise ValueError(f"{key}: {type(value).__name__} is not a value of a configuration")
    return value


def _is_file(name: object, value: object) -> bool:
    """Recognise a file to start from, and an `init_cfg` that names one."""
    if name == "init_cfg" and isinstance(value, dict):
        return isinstance(value.get("checkpoint"), str)
    return name in FILES and isinstance(value, str)


def _name(key: str, name: object) -> object:
    if type(name) not in (str, int):
        raise ValueError(f"{key}: {_short(name)} is not a key of a configuration")
    return name


@cache
def registered() -> frozenset[str]:
    """Names of all registered types. The packages must have been prepared."""
    from mmengine import registry

    roots = [each for each in vars(registry).values() if isinstance(each, registry.Registry)]
    return frozenset(name for root in roots for name in _names(root)) | frozenset(SUPPRESSION + POOLING + WORDS)


def _names(registry: Any) -> Iterator[str]:
    registry.import_from_location()
    yield from registry.module_dict
    for child in registry.children.values():
        yield from _names(child)


def _short(value: object) -> str:
    return re.sub(r"\s+", " ", reprlib.repr(value))
