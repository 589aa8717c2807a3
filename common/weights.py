"""Weights: which of the given files to load, which packaged file belongs to a model, and how it is fetched.

A task never downloads. The build of an image fetches what its table lists; a model whose file is not there trains from
scratch, and the log says so.
"""

import hashlib
import http.client
import logging
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from common.contract import MODEL_SUFFIXES
from common.errors import ModelError, NetworkError
from common.files import replacing

log = logging.getLogger(__name__)

OPENMMLAB = "https://download.openmmlab.com"
"""The server of `Address.of_openmmlab`."""

ULTRALYTICS = "https://github.com/ultralytics/assets/releases/download/v8.4.0"
"""The release of `Address.of_ultralytics`."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the pretrained weights of one model come from.

    Attributes:
        url: of the file.
        sha256: of its content in hexadecimal, or its beginning; empty where nobody has recorded it yet.
    """

    url: str
    sha256: str = ""

    @classmethod
    def of_openmmlab(cls, folder: str, name: str) -> Self:
        """A file of OpenMMLab's server.

        Args:
            folder: such as `mmyolo/v0/yolov8`.
            name: `<experiment>_<date>_<time>-<the first 8 digits of its sha256>`, or without date and time; the file
                lies in a folder of the experiment's name.
                <https://mmdetection.readthedocs.io/en/latest/user_guides/useful_tools.html>
        """
        parts = re.fullmatch(r"(.+?)(?:_\d{8}_\d{6})?-([0-9a-f]{8})", name)
        if parts is None:
            raise ValueError(f"{name!r} is no name that OpenMMLab publishes weights under")
        experiment, digits = parts.groups()
        return cls(f"{OPENMMLAB}/{folder}/{experiment}/{name}.pth", digits)

    @classmethod
    def of_ultralytics(cls, name: str) -> Self:
        """A file of ultralytics' release, such as `yolov5su`; nobody has recorded the hashes."""
        return cls(f"{ULTRALYTICS}/{name}.pt")

    @property
    def file_name(self) -> str:
        """Last part of the address: the name it is packaged under."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Zoo:
    """The pretrained weights of one image.

    Attributes:
        folder: where the build puts them.
        addresses: by model name. A name means exactly one file.
    """

    folder: Path
    addresses: Mapping[str, Address]

    def find(self, model: str) -> Path | None:
        """The packaged weights of a model, or None if there are none for exactly this one."""
        address = self.addresses.get(model)
        path = self.folder / address.file_name if address else None
        return path if path is not None and path.is_file() else None


def choose(files: Sequence[Path]) -> Path:
    """The one weights file to load among those of a model: `best.*`, else `best*`, else the newest.

    Raises:
        ModelError: there is none with a suffix of weights.
    """
    weights = [path for path in files if path.suffix in MODEL_SUFFIXES]
    if not weights:
        names = ", ".join(path.name for path in files) or "nothing"
        raise ModelError(
            f"no weights among the given model files (found {names}; needed {' or '.join(MODEL_SUFFIXES)})"
        )
    return max(weights, key=lambda path: (path.stem == "best", path.stem.startswith("best"), path.stat().st_mtime_ns))


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


def report(source: Path, wanted: Iterable[str], given: Iterable[str], matched: Iterable[str]) -> None:
    """Log how much of a weights file was used.

    Args:
        source: the file.
        wanted: names of the model's tensors.
        given: names of the file's tensors.
        matched: names that are in both with the same shape.
    """
    wanted, given, matched = set(wanted), set(given), set(matched)
    log.info("weights: %d of %d tensors taken from %s", len(matched), len(wanted), source.name)
    for title, names in (
        ("not in the file, or of another shape", wanted - matched),
        ("in the file only", given - wanted),
    ):
        if names:
            first = ", ".join(sorted(names)[:5]) + (", ..." if len(names) > 5 else "")
            log.info("  %d %s: %s", len(names), title, first)
