"""Fetch pretrained weights while an image is built: `python3 -m common.weights.bake <image folder> [pattern ...]`."""

import hashlib
import http.client
import logging
import runpy
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from common.errors import ModelError, NetworkError, YmirError
from common.files import replacing
from common.weights.zoo import Address, Zoo

log = logging.getLogger(__name__)


def read_zoo(folder: Path) -> Zoo:
    """The table of weights of an image: `ZOO` of its zoo.py."""
    zoo: Zoo = runpy.run_path(str(folder / "zoo.py"))["ZOO"]
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


def fetch(address: Address, folder: Path) -> Path:
    """Download one file and check it. What is there with the right hash is kept.

    Raises:
        NetworkError: no connection, or an answer other than the file.
        ModelError: the content has another hash, or none is recorded; the message tells the one it has.
    """
    path = folder / address.file_name
    if path.is_file() and address.sha256 and sha256(path).startswith(address.sha256):
        return path
    with replacing(path) as handle:
        try:
            with urllib.request.urlopen(address.url, timeout=60) as response:  # noqa: S310  # our own table
                shutil.copyfileobj(response, handle)
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            raise NetworkError(f"{address.url}: cannot be fetched ({error})") from None
        handle.flush()
        found = sha256(Path(handle.name))
        if not address.sha256 or not found.startswith(address.sha256):
            expected = address.sha256 or "none recorded"
            raise ModelError(
                f"{address.url}: sha256 is {found}, expected {expected}; record it in zoo.py if it is right"
            )
    return path


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


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
