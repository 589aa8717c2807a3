"""A task as its env.yaml describes it, read without `common`: the tests judge `common` by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml

from common.contract import ObjectType, Verb


@dataclass(frozen=True)
class Task:
    """Paths and settings of a task.

    Attributes:
        env_file: its env.yaml.
        verbs: what the image was asked to do.
        config: config.yaml.
        input: the input paths of env.yaml by their keys, `training_index_file` and so on; '' where a key is missing.
        output: the output paths of env.yaml by their keys, `monitor_file` and so on.
        legacy: whether env.yaml names no protocol version, as platforms before 1.2 did.
        said: the roots of the input and the output as env.yaml says them: where the image sees them.

    Where env.yaml was written for a container (`/in`, `/out`) but lies elsewhere, `input` and `output` are the paths on
    this machine: below the folder of env.yaml, and below the folder `out` beside it.
    """

    env_file: Path
    verbs: tuple[Verb, ...]
    config: Mapping[str, Any]
    input: Mapping[str, str]
    output: Mapping[str, Path]
    legacy: bool
    said: tuple[Path, Path]

    @classmethod
    def load(cls, env_file: Path) -> Self:
        """Reads env.yaml and config.yaml."""
        env = yaml.safe_load(env_file.read_text(encoding="utf-8"))
        said = Path(env["input"]["root_dir"]), Path(env["output"]["root_dir"])
        here = _homes(env_file, said)
        given = {key: str(_moved(path, said, here)) if path else "" for key, path in env["input"].items()}
        return cls(
            env_file=env_file,
            verbs=tuple(verb for verb in Verb if env[f"run_{verb}"]),
            config=yaml.safe_load(Path(given["config_file"]).read_text(encoding="utf-8")),
            input=given,
            output={key: _moved(path, said, here) for key, path in env["output"].items()},
            legacy="protocol_version" not in env,
            said=said,
        )

    @property
    def roots(self) -> tuple[Path, Path]:
        """The folders of the input and the output on this machine."""
        return Path(self.input["root_dir"]), self.output["root_dir"]

    @property
    def title(self) -> str:
        """Verbs, for people: `training` or `mining + infer`."""
        return " + ".join(self.verbs)

    @property
    def object_type(self) -> ObjectType:
        """Object type of the project; platforms before 2.4 give none, which means detection."""
        return ObjectType(self.config.get("object_type", ObjectType.DETECTION))

    @property
    def class_names(self) -> list[str]:
        """The classes in the order of their indices."""
        return list(self.config.get("class_names") or [])

    @cached_property
    def candidates(self) -> list[Path]:
        """The image files to mine or to infer, in the order of the index; none for training."""
        return [_moved(line, self.said, self.roots) for line in self.index_lines("candidate")]

    def index_lines(self, name: str) -> list[str]:
        """The lines of the index file `training`, `val` or `candidate`; none if the task has no such file."""
        file = self.input[f"{name}_index_file"]
        return [line for line in Path(file).read_text(encoding="utf-8").split("\n") if line] if file else []


def find_env_file(place: Path) -> Path | None:
    """The env.yaml that a place is, or that of the task of which it is `in`, `out` or the folder of both."""
    tries = [place, place / "env.yaml", place / "in" / "env.yaml", place.resolve().parent / "in" / "env.yaml"]
    return next((each for each in tries if each.is_file()), None)


def _homes(env_file: Path, said: tuple[Path, Path]) -> tuple[Path, Path]:
    """The roots of input and output on this machine."""
    folder = env_file.resolve().parent
    return said if said[0].resolve() == folder else (folder, folder.parent / "out")


def _moved(path: str, said: tuple[Path, Path], here: tuple[Path, Path]) -> Path:
    """A path of the image as one of this machine."""
    for root, home in zip(said, here, strict=True):
        if root != home and Path(path).is_relative_to(root):
            return home / Path(path).relative_to(root)
    return Path(path)
