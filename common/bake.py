"""Pretrained weights for an image that is being built: `python3 -m common.bake <folder of the image> [pattern ...]`."""

import importlib.util
import logging
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from common.errors import ModelError, YmirError
from common.weights import Zoo, fetch

log = logging.getLogger(__name__)


def read_zoo(folder: Path) -> Zoo:
    """The table of weights of an image: `ZOO` of its zoo.py."""
    spec = importlib.util.spec_from_file_location("zoo", folder / "zoo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    zoo: Zoo = module.ZOO
    return zoo


def bake(zoo: Zoo, patterns: Sequence[str]) -> list[Path]:
    """Fetch the weights of all models whose name fits a pattern such as `yolov8*`.

    A file whose hash nobody has recorded is left out, with a warning.

    Raises:
        NetworkError: one cannot be fetched.
        ModelError: one has another hash than the recorded one, or a pattern fits no model.
    """
    wanted = {name for pattern in patterns for name in _fitting(zoo, pattern)}
    for name in sorted(wanted):
        if not zoo.addresses[name].sha256:
            log.warning("%s: left out, its SHA-256 is not recorded in zoo.py", name)
    return [fetch(zoo.addresses[name], zoo.folder) for name in sorted(wanted) if zoo.addresses[name].sha256]


def _fitting(zoo: Zoo, pattern: str) -> list[str]:
    names = [name for name in zoo.addresses if fnmatchcase(name, pattern)]
    if not names:
        raise ModelError(f"no model fits {pattern!r} (models: {', '.join(zoo.addresses)})")
    return names


def main(arguments: Sequence[str]) -> int:
    """Run it. Returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    folder, *patterns = arguments
    zoo = read_zoo(Path(folder))
    zoo.folder.mkdir(exist_ok=True)
    try:
        for path in bake(zoo, patterns):
            log.info("%s (%.0f MB)", path.name, path.stat().st_size / 1e6)
    except YmirError as error:
        log.error("%s", error)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
