"""Table of an image's pretrained weights: file and address per model.

A task never downloads. The build of an image fetches the files of its table; a model without its file trains from
scratch, and the log says so.
"""

import re
import runpy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

OPENMMLAB = "https://download.openmmlab.com"
"""Server of `Address.of_openmmlab`."""

GITHUB, GITHUB_API = "https://github.com", "https://api.github.com"
"""Servers of `Address.of_github`."""


@dataclass(frozen=True, slots=True)
class Address:
    """Address and hash of the pretrained weights of one model.

    Attributes:
        url: address of the file.
        sha256: hash of the file in hexadecimal, or its first digits; empty if not recorded.
        release: address that states the hashes of a release's files, for a file without a recorded one; empty if there
            is none.
    """

    url: str
    sha256: str = ""
    release: str = ""

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
    def of_github(cls, repository: str, tag: str, file: str, sha256: str = "") -> Self:
        """Address of a file of a release on GitHub.

        Args:
            repository: `<owner>/<name>`.
            tag: of the release.
            file: such as `yolov5s.pt`.
            sha256: of its content; without it, what the API of GitHub states (`assets[].digest`).
                <https://docs.github.com/en/rest/releases/releases#get-a-release-by-tag-name>
        """
        url = f"{GITHUB}/{repository}/releases/download/{tag}/{file}"
        return cls(url, sha256, f"{GITHUB_API}/repos/{repository}/releases/tags/{tag}")

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
        packaged: patterns of the models whose weights a build packages by default.
    """

    folder: Path
    addresses: Mapping[str, Address]
    packaged: tuple[str, ...] = ("*",)

    def find(self, model: str) -> Path | None:
        """Find the packaged weights of a model; None if there are none for exactly this one."""
        address = self.addresses.get(model)
        path = self.folder / address.file_name if address else None
        return path if path is not None and path.is_file() else None


def read_zoo(folder: Path) -> Zoo:
    """Load the table of weights of an image: `ZOO` of its zoo.py."""
    zoo: Zoo = runpy.run_path(str(folder / "zoo.py"))["ZOO"]
    return zoo
