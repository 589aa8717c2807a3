"""The container tools, and an image started in each as the platform starts it."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from workbench.images import REPOSITORY

TOOL = os.environ.get("CONTAINER_TOOL", "docker")
TAG = "cpu"
CHROOT = os.environ.get("BUILDAH_ISOLATION") == "chroot"
OWNER = "23456:34567" if os.getuid() == 0 else f"{os.getuid()}:{os.getgid()}"
"""A uid that no passwd file knows; who is not root can delete what the uid wrote only if it is his own."""


@dataclass(frozen=True)
class Image:
    """An image that was built. Every run is a fresh container without network."""

    tool: str
    name: str

    @property
    def reference(self) -> str:
        return f"ymir-executors/{self.name}:{TAG}"

    def run(
        self, *command: str, mounts: Mapping[str, str] = MappingProxyType({}), user: str = OWNER
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `command`, or without one what the image itself wants to run.

        Args:
            command: what follows the image's name; the init of the image is before it all the same.
            mounts: folders of this machine by `path in the container[:ro]`.
            user: `uid:gid`.
        """
        options = [f"--user={user}", *(f"-v{source}:{target}" for target, source in mounts.items())]
        return (run_in_buildah if self.tool == "buildah" else run_in_engine)(self, options, command)


def run_in_engine(image: Image, options: Sequence[str], command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """docker or podman; the container can write to /out and /tmp only."""
    limits = ["--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "--shm-size=1G"]
    return _run([image.tool, "run", *limits, *options, image.reference, *command])


def run_in_buildah(image: Image, options: Sequence[str], command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """buildah runs commands in a container but knows no entry points: that is done here.

    Isolation `chroot`, for machines without anything better, leaves the network to be taken away by others, too.
    """
    name = f"localhost/{image.reference}"
    config = json.loads(_output("buildah", "inspect", "--type=image", name))["OCIv1"]["config"]
    words = [*(config.get("Entrypoint") or ()), *(command or config["Cmd"])]
    start = ["unshare", "--net", "buildah", "run"] if CHROOT else ["buildah", "run", "--network=none"]
    container = _output("buildah", "from", name).decode().strip()
    try:
        return _run([*start, *options, container, "--", *words])
    finally:
        _output("buildah", "rm", container)


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, timeout=900, check=False)


def _output(*command: str) -> bytes:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def build(tool: str, name: str) -> Image:
    """Build an image for CPUs, without pretrained weights: tests do not ask the servers of others for gigabytes."""
    variables = {"MMCV": "cpu", "TAG": TAG, "WEIGHTS": ""}
    subprocess.run([REPOSITORY / "dockerfiles" / "build", tool, name], env=os.environ | variables, check=True)
    return Image(tool, name)


def why_not(tool: str) -> str | None:
    """Why no image can be built and run with a tool, or None."""
    if shutil.which(tool) is None:
        return f"{tool} is not installed"
    done = subprocess.run([tool, "info"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"{tool} info fails: {(done.stderr.strip().splitlines() or ['?'])[-1]}"
