"""Fetch pretrained weights while an image is built: `python3 -m common.weights.bake <image folder> [pattern ...]`.

`default` in place of the patterns stands for those of the image's table.
"""

import hashlib
import http.client
import json
import logging
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from common.errors import ModelError, NetworkError, YmirError
from common.files import replacing, write_text
from common.weights.digests import opened, stated
from common.weights.zoo import Address, Zoo, read_zoo

log = logging.getLogger(__name__)

DEFAULT = "default"

SOURCES = "sources.json"
"""File beside the weights with the origin of each."""


def bake(zoo: Zoo, patterns: Sequence[str]) -> list[Path]:
    """Fetch the weights of all models whose name matches a pattern such as `yolov8*`, and record their origin.

    Raises:
        NetworkError: a file cannot be fetched, or its release cannot be asked for the hash.
        ModelError: a hash differs from the expected one, no hash is known, or a pattern matches no model.
    """
    wanted = sorted({name for pattern in patterns for name in _fitting(zoo, pattern)})
    expected = [_with_sum(name, zoo.addresses[name]) for name in wanted]
    paths = [fetch(address, zoo.folder) for address in expected]
    if paths:
        files = zip(expected, wanted, paths, strict=True)
        write_text(zoo.folder / SOURCES, _sources(zoo, files))
    return paths


def _with_sum(name: str, address: Address) -> Address:
    """Complete an address without a recorded hash by the one that its release states.

    Raises:
        ModelError: there is neither.
    """
    if address.sha256:
        return address
    digest = stated(address.release).get(address.file_name, "") if address.release else ""
    if not digest:
        place = f"and {address.release} states none" if address.release else "and no release states one"
        raise ModelError(
            f"{name}: refused, as no SHA-256 of {address.url} is recorded, {place}; leave it out of WEIGHTS, "
            "or record the sum of a file that you trust"
        )
    return replace(address, sha256=digest)


def _sources(zoo: Zoo, files: Iterable[tuple[Address, str, Path]]) -> str:
    """Origin of each file and the source of its hash, for the list of what an image holds."""
    content = {
        path.name: {
            "url": address.url,
            "sha256": sha256(path),
            "stated by": "the table of the image" if zoo.addresses[name].sha256 else address.release,
        }
        for address, name, path in files
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _fitting(zoo: Zoo, pattern: str) -> list[str]:
    names = [name for name in zoo.addresses if fnmatchcase(name, pattern)]
    if not names:
        raise ModelError(f"no model matches {pattern!r} (models: {', '.join(zoo.addresses)})")
    return names


def fetch(address: Address, folder: Path) -> Path:
    """Download one file and check its hash. An existing file with the right hash is kept.

    Raises:
        NetworkError: no connection, or a response other than the file.
        ModelError: the hash differs, or none is recorded; the message contains the hash of the file.
    """
    path = folder / address.file_name
    if path.is_file() and address.sha256 and sha256(path).startswith(address.sha256):
        return path
    with replacing(path) as handle:
        try:
            with opened(address.url) as response:
                shutil.copyfileobj(response, handle)
        except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
            raise NetworkError(f"{address.url}: cannot be fetched ({error})") from None
        handle.flush()
        found = sha256(Path(handle.name))
        if not address.sha256 or not found.startswith(address.sha256):
            expected = address.sha256 or "none recorded"
            raise ModelError(f"{address.url}: sha256 is {found}, expected {expected}; record it if it is right")
    return path


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    folder, *patterns = arguments
    zoo = read_zoo(Path(folder))
    if patterns == [DEFAULT]:
        patterns = [*zoo.packaged]
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
