"""The table of an image's pretrained weights: which file belongs to a model, and where it comes from.

A task never downloads. The build of an image fetches what its table lists; a model whose file is not there trains from
scratch, and the log says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

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
