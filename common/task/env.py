"""Read env.yaml and config.yaml once into a `Task`: paths, classes, devices and raw parameters."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError, field_validator

from common.contract import (
    DEFAULT_EXPORT_FORMAT,
    EXPORT_WORDS,
    MODEL_SUFFIXES,
    WORK_FOLDER,
    AnnotationFormat,
    ConfigKey,
    ObjectType,
    Verb,
)
from common.errors import ConfigError, ObjectTypeError, Problems
from common.task.yaml_file import read_mapping, short


class Input(BaseModel):
    """Section `input` of env.yaml. An index that the task does not need is None."""

    root_dir: Path
    assets_dir: Path
    annotations_dir: Path
    models_dir: Path
    config_file: Path
    training_index_file: Path | None = None
    val_index_file: Path | None = None
    candidate_index_file: Path | None = None

    @field_validator("training_index_file", "val_index_file", "candidate_index_file", mode="before")
    @classmethod
    def _empty_is_absent(cls, value: object) -> object:
        return value or None


class Output(BaseModel):
    """Section `output` of env.yaml."""

    root_dir: Path
    models_dir: Path
    tensorboard_dir: Path
    training_result_file: Path
    mining_result_file: Path
    infer_result_file: Path
    monitor_file: Path


class EnvFile(BaseModel):
    """Content of env.yaml; keys that are not listed are ignored."""

    task_id: str
    protocol_version: str = ""
    run_training: bool = False
    run_mining: bool = False
    run_infer: bool = False
    input: Input
    output: Output

    @field_validator("task_id", "protocol_version", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value) if isinstance(value, int | float) else value  # an unquoted task id or 1.1 is a number


@dataclass(frozen=True)
class Task:
    """One task, as the platform describes it.

    Attributes:
        env: the validated env.yaml.
        verbs: TRAINING alone, MINING alone, INFER alone, or MINING and INFER.
        config: content of config.yaml.
        class_names: names by class index.
        gpu_ids: device numbers inside the container; empty = run on the CPU.
        object_type: kind of label; platforms before 2.4 do not send it, then it is the only type of the image.
        annotation_format: format of /in/annotations.
        model_files: existing files of the given model, in the order of config.yaml.
    """

    env: EnvFile
    verbs: frozenset[Verb]
    config: Mapping[str, object]
    class_names: tuple[str, ...]
    gpu_ids: tuple[int, ...]
    object_type: ObjectType
    annotation_format: AnnotationFormat
    model_files: tuple[Path, ...]

    @property
    def id(self) -> str:
        """Name of the task, which also seeds everything random."""
        return self.env.task_id

    @property
    def legacy(self) -> bool:
        """True for a platform before protocol 1.0.0, which expects other keys in the results."""
        return not self.env.protocol_version

    @property
    def scratch(self) -> Path:
        """Folder that a restart of this task resumes from; its name changes with the config and the indexes."""
        return self.env.output.root_dir / WORK_FOLDER / self.fingerprint

    @property
    def data_file(self) -> Path:
        """File in which the parent leaves the data set of a training for the ranks."""
        return self.scratch / "dataset.msgpack"

    @property
    def errors(self) -> Path:
        """Folder in which ranks leave the reason of their failure for the parent."""
        return self.env.output.root_dir / WORK_FOLDER / "errors"

    @cached_property
    def fingerprint(self) -> str:
        """Hash of everything that the outcome depends on: verbs, parameters, indexes, model files."""
        indexes = (
            self.env.input.training_index_file,
            self.env.input.val_index_file,
            self.env.input.candidate_index_file,
        )
        facts = {
            "task": self.id,
            "verbs": sorted(self.verbs),
            "config": self.config,
            "indexes": [hashlib.sha256(path.read_bytes()).hexdigest() for path in indexes if path and path.is_file()],
            "models": [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in self.model_files],
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def read_env(path: Path) -> EnvFile:
    """Read env.yaml.

    Raises:
        ConfigError: the file is missing or not valid YAML, or keys are missing or wrong; all problems at once.
    """
    return env_of(path, read_mapping(path))


def env_of(path: Path, content: Mapping[str, object]) -> EnvFile:
    """Validate the content of env.yaml; `path` is for messages only.

    Raises:
        ConfigError: keys are missing or wrong; all problems at once.
    """
    try:
        return EnvFile.model_validate(content)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']} (value {short(e['input'])})" for e in error.errors()]
        raise ConfigError(f"{path}: " + "; ".join(problems)) from None


DETECTORS: Final = (ObjectType.DETECTION,)
"""Object types that most images support."""


def read_task(env: EnvFile, object_types: Sequence[ObjectType] = DETECTORS) -> Task:
    """Read config.yaml and build the task from it.

    Args:
        env: the validated env.yaml.
        object_types: object types that the image supports.

    Raises:
        YmirError: every problem at once.
    """
    problems = Problems()
    task = collect_task(env, problems, object_types)
    problems.raise_all()
    return task


def collect_task(env: EnvFile, problems: Problems, object_types: Sequence[ObjectType]) -> Task:
    """Build the task like `read_task`, for a caller who looks for further problems: unusable keys get harmless values.

    Raises:
        ConfigError: config.yaml cannot be read at all.
    """
    config = read_mapping(env.input.config_file)
    nothing: frozenset[Verb] = frozenset()
    verbs = problems.attempt(nothing, lambda: _verbs(env))
    needs_classes = verbs != {Verb.INFER}
    return Task(
        env=env,
        verbs=verbs,
        config=config,
        class_names=problems.attempt((), lambda: _class_names(config, required=needs_classes)),
        gpu_ids=problems.attempt((), lambda: _gpu_ids(config.get(ConfigKey.GPU_ID, ""))),
        object_type=problems.attempt(object_types[0], lambda: _object_type(config, object_types)),
        annotation_format=problems.attempt(AnnotationFormat.NONE, lambda: _annotation_format(config)),
        model_files=_model_files(config, env.input.models_dir, verbs),
    )


def _verbs(env: EnvFile) -> frozenset[Verb]:
    asked = {Verb.TRAINING: env.run_training, Verb.MINING: env.run_mining, Verb.INFER: env.run_infer}
    verbs = frozenset(verb for verb, wanted in asked.items() if wanted)
    if not verbs:
        raise ConfigError("run_training, run_mining, run_infer: all false; at least one must be true")
    if Verb.TRAINING in verbs and len(verbs) > 1:
        raise ConfigError("run_training: true together with run_mining or run_infer; training is a task of its own")
    return verbs


def _class_names(config: Mapping[str, object], *, required: bool) -> tuple[str, ...]:
    names = config.get(ConfigKey.CLASS_NAMES) or []
    if not isinstance(names, list) or not all(isinstance(name, str | int | float) for name in names):
        raise ConfigError(f"class_names: {short(names)} is not allowed (a list of names)")
    if required and not names:
        raise ConfigError("class_names: missing or empty; at least one name is needed")
    texts = tuple(map(str, names))
    twice = sorted({name for name in texts if texts.count(name) > 1})
    if twice:
        raise ConfigError(f"class_names: {', '.join(twice)} given twice; names must differ")
    return texts


def _gpu_ids(value: object) -> tuple[int, ...]:
    """Parse `''` or None (the CPU), or numbers separated by commas; a lone number may arrive as an int."""
    parts = value if isinstance(value, list) else str("" if value is None else value).strip("[]").split(",")
    texts = [text for part in parts if (text := str(part).strip())]
    if not all(text.isdecimal() for text in texts):
        raise ConfigError(f"gpu_id: {value!r} is not allowed (device numbers separated by commas, or '' for the CPU)")
    return tuple(map(int, texts))


def _object_type(config: Mapping[str, object], supported: Sequence[ObjectType]) -> ObjectType:
    known = ", ".join(item.label for item in supported)
    if ConfigKey.OBJECT_TYPE not in config:
        if len(supported) == 1:
            return supported[0]
        raise ObjectTypeError(f"object_type: missing; this image needs it (one of {known})")
    value: Any = config[ConfigKey.OBJECT_TYPE]
    try:
        return ObjectType(int(value))
    except (TypeError, ValueError):
        raise ObjectTypeError(f"object_type: {value!r} is not allowed (one of {known})") from None


def _annotation_format(config: Mapping[str, object]) -> AnnotationFormat:
    value = str(config.get(ConfigKey.EXPORT_FORMAT) or DEFAULT_EXPORT_FORMAT)
    words, colon, assets = value.lower().partition(":")
    if not colon or assets != "raw":
        raise ConfigError(f"export_format: {value!r} is not allowed (<annotations>:raw, such as ark:raw or voc:raw)")
    return EXPORT_WORDS.get(words, AnnotationFormat.NONE)


def _model_files(config: Mapping[str, object], models_dir: Path, verbs: frozenset[Verb]) -> tuple[Path, ...]:
    """List the files of the given model that exist.

    The platform names `/in/models/<stage>/<file>` even where it unpacked an old package to `/in/models/<file>`, and
    its verifier names only the top level. So a missing file is looked up by its name, then anywhere below the folder.
    """
    value = config.get(ConfigKey.of_models(verbs)) or []
    listed = [Path(str(item)) for item in (value if isinstance(value, list) else [value])]
    found = [path if path.is_file() else models_dir / path.name for path in listed]
    existing = tuple(dict.fromkeys(path for path in found if path.is_file()))
    if listed and not any(path.suffix in MODEL_SUFFIXES for path in existing) and models_dir.is_dir():
        existing += tuple(sorted(path for path in models_dir.rglob("*") if path.is_file() and path not in existing))
    return existing
