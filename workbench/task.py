"""A task as its env.yaml tells it, read without any help of `common`: the tests judge `common` by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml

from common.contract import ObjectType, Verb


@dataclass(frozen=True)
class Task:
    """Where a task lies and what was asked.

    Attributes:
        env_file: its env.yaml.
        verbs: what the image was asked to do.
        config: config.yaml.
        input: the input paths of env.yaml by their keys, `training_index_file` and so on; '' where there is none.
        output: the output paths of env.yaml by their keys, `monitor_file` and so on.
        first_protocol: whether env.yaml names no protocol version, as platforms before 1.2 did.
    """

    env_file: Path
    verbs: tuple[Verb, ...]
    config: Mapping[str, Any]
    input: Mapping[str, str]
    output: Mapping[str, Path]
    first_protocol: bool

    @classmethod
    def load(cls, env_file: Path) -> Self:
        """Reads env.yaml and config.yaml."""
        env = yaml.safe_load(env_file.read_text(encoding="utf-8"))
        return cls(
            env_file=env_file,
            verbs=tuple(verb for verb in Verb if env[f"run_{verb}"]),
            config=yaml.safe_load(Path(env["input"]["config_file"]).read_text(encoding="utf-8")),
            input=env["input"],
            output={key: Path(path) for key, path in env["output"].items()},
            first_protocol="protocol_version" not in env,
        )

    @property
    def title(self) -> str:
        """What is asked, for people: `training` or `mining + infer`."""
        return " + ".join(self.verbs)

    @property
    def object_type(self) -> ObjectType:
        """What the project labels; platforms before 2.4 do not say, which means detection."""
        return ObjectType(self.config.get("object_type", ObjectType.DETECTION))

    @property
    def class_names(self) -> list[str]:
        """The classes in the order of their indices."""
        return list(self.config["class_names"])

    @cached_property
    def candidates(self) -> list[Path]:
        """The image files to mine or to infer, in the order of the index; none for training."""
        return [Path(line) for line in self.index_lines("candidate")]

    def index_lines(self, name: str) -> list[str]:
        """The lines of the index file `training`, `val` or `candidate`; none if the task has no such file."""
        file = self.input[f"{name}_index_file"]
        return [line for line in Path(file).read_text(encoding="utf-8").split("\n") if line] if file else []
