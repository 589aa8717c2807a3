"""Checks the outputs of a task against everything that the platform, or its own verifier, would refuse or drop."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from common.contract import ObjectType, Verb
from workbench.check.detection import check_detections
from workbench.check.finding import Finding
from workbench.check.mining import check_ranking
from workbench.check.monitor import check_monitor
from workbench.check.segmentation import check_masks
from workbench.check.training import check_training
from workbench.task import Task

__all__ = [
    "Finding",
    "check_detections",
    "check_masks",
    "check_monitor",
    "check_out",
    "check_ranking",
    "check_results",
    "check_training",
]


def check_results(task: Task, *, rotated: bool = False) -> list[Finding]:
    """Breaches in infer-result.json, in the form that the task's object type has.

    Args:
        task: the task.
        rotated: whether the image finds rotated boxes.
    """
    return check_detections(task, rotated=rotated) if task.object_type is ObjectType.DETECTION else check_masks(task)


def check_out(env_file: Path, *, rotated: bool = False) -> list[Finding]:
    """Every breach of the contract in the outputs of a task that ended with exit status 0.

    Args:
        env_file: the env.yaml of the task.
        rotated: whether the image finds rotated boxes.

    Returns:
        No finding: the platform will read the results as intended.
    """
    task = Task.load(env_file)
    checks: dict[Verb, Callable[[Task], list[Finding]]] = {
        Verb.TRAINING: check_training,
        Verb.MINING: check_ranking,
        Verb.INFER: partial(check_results, rotated=rotated),
    }
    return check_monitor(task) + [finding for verb in task.verbs for finding in checks[verb](task)]
