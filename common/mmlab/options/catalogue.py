"""Configurations that a user can choose: those in OpenMMLab's packages, found without importing a package."""

import importlib.util
import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from common.mmlab.options.old_names import todays_keys

Reasons = tuple[tuple[str, str], ...]
"""Patterns of keys without `.py`, and the reasons why these configurations cannot be chosen."""

PARTS: Reasons = ((r"(^|/)_base_/|^common/|^dsdl/|_tta$|^deploy/", "it describes no training of a model"),)

OTHERS: Reasons = (
    *PARTS,
    (r"^clrnet/|/pose/|/rotated/", "it does not detect upright boxes"),
    (r"in1k|^reid/", "it classifies images"),
    (r"/(cascade-|ga-)?rpn_(?!fast)", "it proposes boxes without classes"),
    (r"^(bytetrack|deepsort|ocsort|qdtrack|sort|strongsort)/", "it tracks objects in videos"),
    (
        r"mask|instance|panoptic|[-_]ins_|boxinst|condinst|htc|ms-rcnn|point-rend|queryinst|scnet|solo|yolact",
        "it needs masks, and a detection project has none",
    ),
    (r"fast-rcnn", "it needs the proposals of another model"),
    (r"/distillation/|^lad/|^ld/|^soft_teacher/", "it learns from another model"),
    (r"^glip/|grounding_dino/", "it needs a language model"),
    (r"^cornernet/|^centripetalnet/|crop512", "it tests images in their own sizes, one by one"),
    (r"^razor/|/d2_|timm|convnext|^redet/", "it needs a package that this image does not have"),
    (r"^h2rbox", "it learns from upright boxes, which have no angles, and from images of one size"),
    (r"rotated-fcos-le90_r50_fpn_kld", "its loss divides by the area of boxes that have none, as untrained ones do"),
    (r"rbox-le135_r50_fpn_gwd|s2anet-le135_r50_fpn_3x_hrsc", "it uses a file or a class that mmrotate does not have"),
)
"""Configurations that cannot train a detector from boxes alone."""

OTHERS_OF_MAPS: Reasons = (
    *PARTS,
    (r"^(convnext|mask2former|maskformer|poolformer)/", "it needs a package that this image does not have"),
    (r"^san/", "it needs a language model"),
    (r"^vpd/", "it estimates depth, and needs a package that this image does not have"),
    (r"_levir", "it compares two images of a place"),
    (r"_hsidrive", "its images have other channels than red, green and blue"),
)
"""Configurations of mmsegmentation that cannot learn classes of pixels from images and maps of classes."""


def find_config(name: str, package: str, table: Mapping[str, str]) -> str:
    """Find the key of the configuration that a user means.

    Args:
        name: a name of `table`, a key with or without `configs/` before and `.py` behind it, or the file name of one;
            case does not matter, and `-` is `_`. Otherwise a name that the package's earlier versions had.
        package: `mmyolo`, `mmdet`, `mmrotate` or `mmseg`.
        table: additional names of an image, each with the key that it means.

    Raises:
        ValueError: no configuration has this name (with the nearest ones), or several have.
    """
    known = [(spelling, key) for key in config_files(package) for spelling in _spellings(key)]
    known += [(spelling, key) for each, key in table.items() for spelling in _spellings(each)]
    found = sorted({key for spelling, key in known if _plain(spelling) == _plain(name)})
    if len(found) == 1:
        return found[0]
    found = found or todays_keys(name, config_files(package), package)
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"{name!r} may be {' or '.join(found)}; give one of these")
    near = ", ".join(_nearest(name, {spelling for spelling, _ in known if "/" not in spelling}))
    raise ValueError(f"{name!r} {_refusal(name, package)}; nearest: {near}")


@cache
def config_files(package: str) -> dict[str, Path]:
    """Configurations that can be chosen, by key: the path below `configs`, `yolox/yolox_s_8xb8.py`."""
    return {key: path for key, path in _all_files(package).items() if not _why_not(package, key)}


def config_path(package: str, key: str) -> Path:
    """File of a configuration.

    Args:
        package: `mmyolo`, `mmdet`, `mmrotate` or `mmseg`.
        key: from `find_config`.
    """
    return config_files(package)[key]


@cache
def _all_files(package: str) -> dict[str, Path]:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed; install the extra of the image that uses it")
    folder = Path(spec.origin).parent / ".mim" / "configs"
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.py"))}


def _why_not(package: str, key: str) -> str:
    """Reason why a configuration cannot be chosen; empty if it can."""
    others = OTHERS_OF_MAPS if package == "mmseg" else OTHERS
    return next((reason for pattern, reason in others if re.search(pattern, key.removesuffix(".py"))), "")


def _refusal(name: str, package: str) -> str:
    """Reason for refusing a name that no available configuration has."""
    same = [key for key in _all_files(package) if _plain(name) in map(_plain, _spellings(key))]
    keys = same or todays_keys(name, _all_files(package), package)
    if not keys:
        return "is not a known configuration"
    today = "" if same else f"is {keys[0]} today and "
    return f"{today}cannot be chosen: {_why_not(package, keys[0])}"


def _spellings(key: str) -> Iterator[str]:
    """Yield a key, and its file name alone."""
    yield key
    yield key.rpartition("/")[2].removesuffix(".py")


def _plain(name: str) -> str:
    """Normalise a name: case, dashes, suffix and leading folders do not matter."""
    return re.sub(r"^(\./)?(configs/)?", "", name.strip().lower()).removesuffix(".py").replace("-", "_")


def _nearest(name: str, known: set[str]) -> list[str]:
    """Four known names, the most similar first. A name that is the beginning of others is near to these."""
    wanted = _plain(name).rpartition("/")[2]

    def distance(candidate: str) -> tuple[float, int, str]:
        start = _plain(candidate)[: max(len(wanted), 1)]
        return -SequenceMatcher(None, wanted, start).ratio(), len(candidate), candidate

    return sorted(known, key=distance)[:4]
