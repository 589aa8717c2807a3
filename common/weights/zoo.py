"""Table of an image's pretrained weights: file and address per model.

A task never downloads. The build of an image fetches the files of its table; a model without its file trains from
scratch, and the log says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

OPENMMLAB = "https://download.openmmlab.com"
"""Server of `Address.of_openmmlab`."""

ULTRALYTICS = "https://github.com/ultralytics/assets/releases/download/v8.4.0"
"""Release of `Address.of_ultralytics`."""


@dataclass(frozen=True, slots=True)
class Address:
    """Address and hash of the pretrained weights of one model.

    Attributes:
        url: address of the file.
        sha256: hash of the file in hexadecimal, or its first digits; empty if not recorded yet.
    """

    url: str
    sha256: str = ""

    @classmethod
    def of_openmmlab(cls, folder: str, name: str) -> Self:
        """Address of a file of OpenMMLab's server.

        Args:
            folder: such as `mmyolo/v0/yolov8`.
            name: `<experiment>_<date>_<time>-<the first 8 digits of its sha256>`, or without date and time; the file
                lies in a folder of the experiment's name.
                <https://mmdetection.readthedocs.io/en/latest/user_guides/useful_tools.html>
        """
        parts = re.fullmatch(r"(.+?)(?:_\d{8}_\d{6})?-([0-9a-f]{8})", name)
        if parts is None:
            raise ValueError(f"{name!r} is not a name under which OpenMMLab publishes weights")
        experiment, digits = parts.groups()
        return cls(f"{OPENMMLAB}/{folder}/{experiment}/{name}.pth", digits)

    @classmethod
    def of_ultralytics(cls, name: str) -> Self:
        """Address of a file of ultralytics' release, such as `yolov5su`; hashes are not recorded."""
        return cls(f"{ULTRALYTICS}/{name}.pt")

    @property
    def file_name(self) -> str:
        """Name of the packaged file: the last part of the address."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Zoo:
    """Pretrained weights of one image.

    Attributes:
        folder: folder that the build writes to.
        addresses: addresses by model name. A name means exactly one file.
    """

    folder: Path
    addresses: Mapping[str, Address]

    def find(self, model: str) -> Path | None:
        """Find the packaged weights of a model; None if there are none for exactly this one."""
        address = self.addresses.get(model)
        path = self.folder / address.file_name if address else None
        return path if path is not None and path.is_file() else None
