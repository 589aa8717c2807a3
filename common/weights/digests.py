"""SHA-256 sums that a release on GitHub states for its files: `python3 -m common.weights.digests <image folder> ...`.

Prints the lines to add to `RECORDED` of common/weights/yolo.py, for the files that have none there.
"""

import http.client
import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

from common.errors import NetworkError, YmirError
from common.weights.zoo import Zoo, read_zoo

LIMIT = 1 << 24
"""Bytes of the description of a release that are read at most."""


def opened(url: str) -> IO[bytes]:
    """The answer of a server.

    Raises:
        NetworkError: no connection, or an answer that is an error.
    """
    try:
        answer: IO[bytes] = urllib.request.urlopen(url, timeout=60)  # noqa: S310  # our own table
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise NetworkError(f"{url}: cannot be fetched ({error})") from None
    return answer


@cache
def stated(release: str) -> dict[str, str]:
    """SHA-256 by file name, of the files that have one. Files from before GitHub computed them have none.

    Args:
        release: see `Address.release`.

    Raises:
        NetworkError: it cannot be fetched, or is no description of a release.
    """
    try:
        with opened(release) as answer:
            assets = json.loads(answer.read(LIMIT))["assets"]
        found = {str(asset["name"]): str(asset.get("digest") or "") for asset in assets}
    except (ValueError, LookupError, TypeError, AttributeError, http.client.HTTPException, OSError) as error:
        raise NetworkError(f"{release}: no description of a release ({type(error).__name__})") from None
    return {name: text[7:] for name, text in found.items() if re.fullmatch(r"sha256:[0-9a-f]{64}", text)}


def missing(zoo: Zoo) -> dict[str, str]:
    """Sums by file of a table's files that have no recorded one, as far as their releases state them.

    Raises:
        NetworkError: a release cannot be asked.
    """
    open_ones = [address for address in zoo.addresses.values() if address.release and not address.sha256]
    sums = {address.file_name: stated(address.release).get(address.file_name, "") for address in open_ones}
    return {file: digest for file, digest in sorted(sums.items()) if digest}


def main(folders: Sequence[str]) -> int:
    """Run it. Returns the exit status."""
    try:
        for folder in folders:
            for file, digest in missing(read_zoo(Path(folder))).items():
                print(f'    "{file}": "{digest}",')
    except YmirError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
