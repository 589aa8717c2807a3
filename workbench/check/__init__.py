"""Checks the outputs of a task against everything that the platform, or its own verifier, would refuse or drop."""

from pathlib import Path
from typing import Final

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


def check_results(task: Task) -> list[Finding]:
    """Breaches in infer-result.json, in the form that the task's object type has."""
    return check_detections(task) if task.object_type is ObjectType.DETECTION else check_masks(task)


_CHECKS: Final = {Verb.TRAINING: check_training, Verb.MINING: check_ranking, Verb.INFER: check_results}


def check_out(env_file: Path) -> list[Finding]:
    """Every breach of the contract in the outputs of a task that ended with exit status 0.

    Args:
        env_file: the env.yaml of the task.

    Returns:
        No finding means that the platform takes the results as they are meant.
    """
    task = Task.load(env_file)
    return check_monitor(task) + [finding for verb in task.verbs for finding in _CHECKS[verb](task)]
