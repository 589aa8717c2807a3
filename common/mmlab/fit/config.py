"""Reads a configuration file of OpenMMLab for a machine without network."""

import logging
import re
from collections.abc import Iterator, Mapping

from mmengine.config import Config

from common.errors import ConfigError
from common.mmlab.fit.nested import mappings
from common.mmlab.fit.stored_config import check_value
from common.mmlab.options.allowed_keys import SECTIONS
from common.mmlab.options.catalogue import config_path

log = logging.getLogger(__name__)

REMOTE = re.compile(r"[\w-]+://|(\./)?pretrain/")
"""Beginnings of addresses that mmengine would download from, and of files that it expects to be downloaded."""


def load_config(package: str, key: str) -> Config:
    """Read a configuration, with what it inherits.

    Variables of the file (`img_scale`, `max_epochs`, the pipelines by name) are dropped: they were used while the file
    was read, and would contradict what we change. So is everything that a task would have to download: weights of other
    data sets to start from. One line of the log names them. Visualisers are removed.

    Args:
        package: `mmyolo`, `mmdet`, `mmrotate` or `mmseg`.
        key: of `catalogue.config_files`.
    """
    path = config_path(package, key)
    whole = Config.fromfile(path).to_dict()
    downloads = [*_take_downloads({name: whole.get(name) for name in ("load_from", "model")})]
    if downloads:
        log.info("%s: left out, because a task does not download: %s", path.stem, ", ".join(downloads))
    config = Config({name: whole[name] for name in SECTIONS if name in whole}, filename=str(path))
    config.default_scope = package
    config.visualizer.vis_backends = []
    return config


def has_rotated_boxes(config: Config) -> bool:
    """Recognise the configuration of a detector of rotated boxes: all of mmrotate's are, and no others."""
    return bool(config.default_scope == "mmrotate")


def plain_batch_norm(config: Config) -> None:
    """Normalise each rank's batch by itself, in place. Synchronised layers need several GPUs."""
    config.pop("sync_bn", None)
    for mapping in mappings(config.model):
        if mapping.get("type") in ("SyncBN", "MMSyncBN"):
            mapping["type"] = "BN"
    if str(config.model.type).endswith(
        ("YOLODetector", "RTMDet")
    ):  # without this they synchronise all layers by themselves
        config.model.use_syncbn = False


def merge_options(config: Config, options: Mapping[str, object]) -> None:
    """Merge `cfg_options` into a configuration, in place.

    Raises:
        ConfigError: one does not fit it, names code outside OpenMMLab's registries, or would download something.
    """
    for name, value in options.items():
        _check_option(name, value)
        try:
            config.merge_from_dict({name: value})
        except (KeyError, TypeError, IndexError, AssertionError) as error:
            raise ConfigError(f"cfg_options: {name}={value!r} does not fit the configuration: {error}") from error


def _check_option(name: str, value: object) -> None:
    try:
        check_value(name, value)
    except ValueError as error:
        raise ConfigError(f"cfg_options: {error}") from error
    addresses = [item for item in (value if isinstance(value, list | tuple) else [value]) if isinstance(item, str)]
    if any(REMOTE.match(item) for item in addresses):
        raise ConfigError(f"cfg_options: {name}={value!r} would be downloaded, and a task does not download")


def _take_downloads(node: object) -> Iterator[str]:
    """Remove every address, and every `init_cfg` whose checkpoint is one; yield them."""
    for mapping in mappings(node):
        for name, value in list(mapping.items()):
            source = value.get("checkpoint") if isinstance(value, dict) else value
            if isinstance(source, str) and REMOTE.match(source):
                del mapping[name]
                yield source
