"""result.yaml, the files that it names, and the curves for tensorboard."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, Final

import yaml

from common.contract import MAX_STAGES, PRIMARY_METRIC, UNIT_METRICS
from workbench.check.finding import Breach, Finding
from workbench.check.reading import text_of
from workbench.check.values import is_int, is_mapping, is_number, is_text, is_unit
from workbench.task import Task

_COUNTS: Final = ("tp", "fp", "fn")
_WEIGHT_SUFFIXES: Final = frozenset({".pt", ".pth", ".weight", ".weights", ".param", ".params", ".pb"})
_NAME_LENGTH: Final = 100


def check_training(task: Task) -> list[Finding]:
    """Breaches in result.yaml and below `/out/models` and `/out/tensorboard`."""
    return [*check_result_file(task), *_check_curves(task)]


def check_result_file(task: Task) -> list[Finding]:
    """Breaches in result.yaml alone, which must be right from the first checkpoint on."""
    file = task.output["training_result_file"]
    text = text_of(file, "Write it after every checkpoint", task.output["root_dir"])
    if isinstance(text, Finding):
        return [text]
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        return [Finding(file, f"not plain YAML: {error}", "Convert numpy values before dumping")]
    if not is_mapping(document):
        return [
            Finding(file, f"holds {type(document).__name__}, not a mapping", "Write model_stages and best_stage_name")
        ]
    return [Finding(file, what, advice) for what, advice in _document(document, task)]


def _check_curves(task: Task) -> list[Finding]:
    folder = task.output["tensorboard_dir"]
    if folder.is_dir() and any(path.name != "executor.log" for path in folder.iterdir()):
        return []
    return [Finding(folder, "there are no curves", "Write tensorboard events below it")]


def _document(document: Mapping[str, Any], task: Task) -> Iterator[Breach]:
    folder = task.output["models_dir"]
    if task.legacy or "model" in document:
        yield from _first_form(document, folder, task.legacy)
    stages = document.get("model_stages")
    if not is_mapping(stages) or not stages:
        yield f"model_stages is {stages!r}", "Write at least one stage"
        return
    if len(stages) > MAX_STAGES:
        yield f"there are {len(stages)} stages", f"Keep the newest {MAX_STAGES - 1} and the best"
    if document.get("best_stage_name") not in list(stages):
        yield (
            f"best_stage_name {document.get('best_stage_name')!r} is not a stage",
            f"Write one of {sorted(map(str, stages))}",
        )
    for name, stage in stages.items():
        for what, advice in _stage(name, stage, folder, PRIMARY_METRIC[task.object_type]):
            yield f"stage {name!r}: {what}", advice
    if document.get("object_type") != task.object_type:
        yield (
            f"object_type is {document.get('object_type')!r}",
            f"Write {int(task.object_type)}: platforms 2.1 to 2.3 read it",
        )
    yield from _attachments(document.get("attachments", {}), folder)
    yield from _evaluate_config(document.get("evaluate_config", {}))
    yield from _weights(stages)
    yield from _shared(stages, folder)


def _first_form(document: Mapping[str, Any], folder: Path, legacy: bool) -> Iterator[Breach]:
    """The form of platforms before 1.2, which the key `model` alone already asks for."""
    if not legacy:
        yield (
            "the key 'model' makes the platform read the old form",
            "Leave it out: this platform has a protocol version",
        )
        return
    if not is_unit(document.get("map")):
        yield f"map is {document.get('map')!r}", "Write a number from 0 to 1"
    yield from _files("model", document.get("model"), [folder])


def _stage(name: object, stage: object, folder: Path, primary: str) -> Iterator[Breach]:
    if not is_text(name) or len(name) > _NAME_LENGTH or "@" in name or "/" in name:
        yield "the name is not allowed", f"Use at most {_NAME_LENGTH} characters without @ and /"
    if not is_mapping(stage):
        yield f"holds {stage!r}, not a mapping", "Write stage_name, files, timestamp and metrics"
        return
    if stage.get("stage_name") != name:
        yield f"stage_name is {stage.get('stage_name')!r}", "Repeat the key: it names the folder"
    if not is_int(stage.get("timestamp")):
        yield f"timestamp is {stage.get('timestamp')!r}", "Write whole seconds since 1970"
    yield from _metrics(stage, primary)
    yield from _files("files", stage.get("files"), [folder / str(name), folder])


def _metrics(stage: Mapping[str, Any], primary: str) -> Iterator[Breach]:
    if primary not in stage:
        yield f"{primary} is missing", "Write it: the platform lists the model by it"
    for key in UNIT_METRICS:
        if key in stage and not is_unit(stage[key]):
            yield f"{key} is {stage[key]!r}", "Write a number from 0 to 1"
    for key in _COUNTS:
        if key in stage and not (is_int(stage[key]) and stage[key] >= 0):
            yield f"{key} is {stage[key]!r}", "Write an integer from 0"
        if key.upper() in stage:
            yield f"{key.upper()} is ignored", f"Write {key}"


def _files(key: str, files: object, folders: list[Path]) -> Iterator[Breach]:
    """Each file has a relative path to a regular file in the first of `folders` that holds it."""
    if not isinstance(files, list) or not files or not all(is_text(file) for file in files):
        yield f"{key} is {files!r}", "List at least one file"
        return
    for file in files:
        found = [folder / file for folder in folders if (folder / file).exists() or (folder / file).is_symlink()]
        if PurePath(file).is_absolute() or ".." in PurePath(file).parts:
            yield f"file {file!r} is outside of its folder", "Write a path relative to the folder of the stage"
        elif not found or found[0].is_symlink() or not found[0].is_file():
            yield f"file {file!r} is not a regular file in {folders[0]}", "List files only once they exist"
        elif not found[0].stat().st_size:
            yield f"file {file!r} is empty", "List files only once they are complete"


def _attachments(sections: object, folder: Path) -> Iterator[Breach]:
    if not is_mapping(sections):
        yield f"attachments is {sections!r}", "Map sections to lists of files, or leave it out"
        return
    for section, files in sections.items():
        yield from _files(f"attachments.{section}", files, [folder / "attachments" / str(section)])


def _evaluate_config(values: object) -> Iterator[Breach]:
    if not is_mapping(values):
        yield f"evaluate_config is {values!r}", "Map names to numbers, or leave it out"
        return
    for key, value in values.items():
        if not is_number(value):
            yield f"evaluate_config.{key} is {value!r}", "Write one number: ranges and nulls are refused"


def _weights(stages: Mapping[Any, Any]) -> Iterator[Breach]:
    lists = [stage["files"] for stage in stages.values() if is_mapping(stage) and isinstance(stage.get("files"), list)]
    if not any(PurePath(str(file)).suffix in _WEIGHT_SUFFIXES for files in lists for file in files):
        yield "no stage lists weights", f"List a file that ends in one of {sorted(_WEIGHT_SUFFIXES)}"


def _shared(stages: Mapping[Any, Any], folder: Path) -> Iterator[Breach]:
    """Two stages that list the same weights have one file of them, unless each has a folder of its own."""
    first: dict[str, object] = {}
    for name, stage in stages.items():
        files = stage.get("files") if is_mapping(stage) else None
        for file in files if isinstance(files, list) else []:
            weights = is_text(file) and PurePath(file).suffix in _WEIGHT_SUFFIXES
            if weights and not (folder / str(name) / file).exists():
                if file in first:
                    what = f"stages {first[file]!r} and {name!r} share the weights {file!r}"
                    yield what, "Give each stage a folder of its own"
                first.setdefault(file, name)
