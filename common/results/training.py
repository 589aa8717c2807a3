"""result.yaml: the trained models. Valid from the first checkpoint on: the platform also reads it after a failure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from common.contract import MAX_STAGES, PRIMARY_METRIC, UNIT_METRICS, ObjectType
from common.files import write_text
from common.results.class_metrics import ClassMetrics

ATTACHMENTS: Final = "attachments"
"""Key of result.yaml, and folder below the models directory with one folder per section."""

_DECIDES: Final = {ObjectType.DETECTION: "mAP50_95", ObjectType.SEMANTIC: "mAcc", ObjectType.INSTANCE: "maskAP50_95"}

RANKED_BY: Final = {kind: (PRIMARY_METRIC[kind], second) for kind, second in _DECIDES.items()}
"""Metrics that rank stages: the one that the platform compares models by, and the one that decides between equals."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One trained model.

    Attributes:
        name: also the folder below the models directory; no `@` and no `/`.
        files: file names relative to that folder; the weights first.
        timestamp: seconds since the epoch.
        metrics: `mAP` is the average precision at IoU 0.5 for every image; those that the platform knows lie in [0, 1].
        classes: metrics by class, for `class-metrics.csv`; result.yaml has no place for them.
    """

    name: str
    files: tuple[str, ...]
    timestamp: int
    metrics: Mapping[str, float]
    classes: tuple[ClassMetrics, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """All models of one training, oldest first.

    Attributes:
        best: name of the stage that the platform uses by default.
        evaluate: thresholds of IoU and confidence for the metrics.
        attachments: further files by section, relative to the section's folder.
    """

    object_type: ObjectType
    stages: Sequence[Stage]
    best: str
    evaluate: Mapping[str, float] = field(default_factory=dict)
    attachments: Mapping[str, Sequence[str]] = field(default_factory=dict)


def unit(value: float) -> float:
    """Bring a metric into [0, 1]. NaN or -1, by which frameworks mean "nothing to measure", become 0."""
    return min(max(float(value), 0.0), 1.0) if math.isfinite(value) else 0.0


def keep_stages(stages: Sequence[Stage], best: str) -> list[Stage]:
    """Select the best stage and the newest others, as many as the platform takes, oldest first."""
    others = [stage for stage in stages if stage.name != best][-(MAX_STAGES - 1) :]
    return [stage for stage in stages if stage.name == best or stage in others]


def write_training_result(path: Path, models_dir: Path, result: TrainingResult, *, legacy: bool = False) -> None:
    """Write result.yaml.

    Args:
        path: result.yaml.
        models_dir: folder of the stages' folders.
        legacy: write the format of platform 1.1 (`model` and `map`, the best model only).

    Raises:
        ValueError: a listed file does not exist, a metric is out of range, or there is no best stage: the platform
            would refuse the whole training.
    """
    for stage in result.stages:
        _check(stage, models_dir)
    for section, files in result.attachments.items():
        _check_files(section, files, models_dir / ATTACHMENTS / section)
    by_name = {stage.name: stage for stage in result.stages}
    if result.best not in by_name:
        raise ValueError(f"best stage {result.best!r} is not among {sorted(by_name)}")
    content = _legacy(by_name[result.best], result) if legacy else _stages(result)
    write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def _stages(result: TrainingResult) -> dict[str, object]:
    return {
        "best_stage_name": result.best,
        "model_stages": {
            stage.name: {
                "stage_name": stage.name,
                "files": list(stage.files),
                "timestamp": stage.timestamp,
                **{name: round(float(value), 6) for name, value in stage.metrics.items()},
            }
            for stage in result.stages
        },
        "object_type": int(result.object_type),
        "evaluate_config": {name: float(value) for name, value in result.evaluate.items()},
        ATTACHMENTS: {section: list(files) for section, files in result.attachments.items()},
    }


def _legacy(best: Stage, result: TrainingResult) -> dict[str, object]:
    metric = best.metrics[PRIMARY_METRIC[result.object_type]]
    return {"model": [f"{best.name}/{file}" for file in best.files], "map": round(float(metric), 6)}


def _check(stage: Stage, models_dir: Path) -> None:
    _check_files(f"stage {stage.name}", stage.files, models_dir / stage.name)
    for name in UNIT_METRICS:
        value = stage.metrics.get(name, 0.0)
        if not 0 <= value <= 1:
            raise ValueError(f"stage {stage.name}: {name} is {value}; it must lie in [0, 1]")


def _check_files(owner: str, files: Sequence[str], folder: Path) -> None:
    for file in files:
        if not (folder / file).is_file():
            raise ValueError(f"{owner}: {folder / file} does not exist")
