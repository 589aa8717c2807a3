"""A task in a container, started as the platform starts it."""

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from common.contract import DEFAULT_ENV_FILE, ENV_FILE_VARIABLE
from workbench.images import REPOSITORY
from workbench.task import Task

START: Final = ("bash", "/usr/bin/start.sh")
"""Command of the platform's images. buildah, which is not a runtime, ignores an image's own command."""

_GIGABYTES_A_GPU: Final = 16

Command = Sequence[str]


class Tool(StrEnum):
    """Container tools."""

    DOCKER = "docker"
    PODMAN = "podman"
    BUILDAH = "buildah"


@dataclass(frozen=True, slots=True)
class Launch:
    """The processes of a task.

    Attributes:
        command: the one that lasts as long as the task, and whose exit status is that of the task.
        environment: variables that it gets besides those of the workbench.
        before: commands that must succeed first.
        after: commands that are run at the end in any case, and may fail.
    """

    command: Command
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Sequence[Command] = ()
    after: Sequence[Command] = ()


def tag_of(image: str) -> str:
    """The container image that `dockerfiles/build` makes of a folder of this repository; any other text is a tag."""
    if not (REPOSITORY / image / "start.py").is_file():
        return image
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"ymir-executors/{image}:{project['version']}"


def container_launch(tool: Tool, image: str, task: Task) -> Launch:
    """Commands that run a task in a container.

    The input is mounted read-only and the output writable, where env.yaml says that they are: at `/in` and `/out` in a
    task of the platform, at their own paths in one of the workbench, which its environment then names.

    Args:
        tool: must be installed.
        image: its tag.
        task: the task.
    """
    name = f"{task.config['task_id']}-{os.getpid()}"
    shared = f"--shm-size={shared_memory(task)}"
    keep = ("--userns=keep-id",) if tool is Tool.PODMAN and os.getuid() else ()
    user = (*keep, "--user", f"{os.getuid()}:{os.getgid()}")
    options = (*_mounts(task), *user, *_devices(tool, task), *_variables(task))
    if tool is Tool.BUILDAH:
        return Launch(
            command=("buildah", "run", *options, name, "--", *START),
            before=[("buildah", "from", "--name", name, shared, image)],
            after=[("buildah", "rm", name)],
        )
    return Launch(
        command=(tool.value, "run", "--rm", *options, shared, "--name", name, image),
        after=[(tool.value, "rm", "-f", name)],
    )


def shared_memory(task: Task) -> str:
    """Shared memory as the platform asks for it: `shm_size` of the form, or 16 GB per GPU."""
    return str(task.config.get("shm_size") or f"{_GIGABYTES_A_GPU * max(1, len(_gpus(task)))}G")


def _mounts(task: Task) -> Iterator[str]:
    """Input and output; and what is a link in them, at the place where it leads."""
    for (root, said), mode in zip(zip(task.roots, task.said, strict=True), (":ro", ""), strict=True):
        yield f"-v{root.resolve()}:{said}{mode}"
    for folder in (task.input["assets_dir"], task.input["models_dir"], task.output["tensorboard_dir"]):
        if Path(folder).is_symlink():
            target = Path(folder).resolve()
            yield f"-v{target}:{target}"


def _devices(tool: Tool, task: Task) -> Iterator[str]:
    gpus = _gpus(task)
    if gpus and tool is Tool.DOCKER:
        yield from ("--gpus", f'"device={",".join(gpus)}"')
    elif gpus:
        yield from (f"--device=nvidia.com/gpu={gpu}" for gpu in gpus)


def _gpus(task: Task) -> list[str]:
    return [gpu for gpu in str(task.config.get("gpu_id") or "").split(",") if gpu]


def _variables(task: Task) -> tuple[str, ...]:
    """Environment that names env.yaml, if it is not where an image looks for it."""
    place = str(task.said[0] / task.env_file.name)
    return () if place == DEFAULT_ENV_FILE else (f"--env={ENV_FILE_VARIABLE}={place}",)
