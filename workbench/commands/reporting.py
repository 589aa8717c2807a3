"""`python -m workbench report`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from common.contract import Verb
from workbench.candidates import RankedImage, read_candidates
from workbench.check import check_out
from workbench.commands.problem import explained
from workbench.commands.running import read_task
from workbench.outputs import read_best_stage
from workbench.report import write_report
from workbench.story import Story
from workbench.task import Task, find_env_file

PAGE: Final = "report.html"

_RESULTS: Final = {
    Verb.TRAINING: "training_result_file",
    Verb.MINING: "mining_result_file",
    Verb.INFER: "infer_result_file",
}
"""Output paths of env.yaml."""


def report_command(
    places: Annotated[
        list[Path],
        typer.Argument(
            metavar="ENV_FILE [ENV_FILE]",
            help="env.yaml of a finished task, its `out` folder, or the folder of both: a training, a task that mines, "
            "infers or does both, or one of each. Mining and inference as two tasks need two pages.",
        ),
    ],
    to: Annotated[
        Path | None, typer.Option(help=f"Page to write; by default {PAGE} beside `in` of the first task.")
    ] = None,
) -> None:
    """Show the results of finished tasks on an HTML page: metrics, curve, classes, predictions, ranking, parameters."""
    console = Console()
    with explained(console, ValueError):
        tasks = [_finished(place) for place in places]
        story = _story(tasks)
        file = to or tasks[0].roots[0].resolve().parent / PAGE
        if not file.parent.is_dir():
            raise ValueError(f"--to {file}: there is no folder {file.parent}")
        write_report(_readable(story), story, file)
    console.print(f"Written: {file}", markup=False, highlight=False, soft_wrap=True)


def _finished(place: Path) -> Task:
    """Task of a path that a person gives.

    Raises:
        ValueError: there is none, or it has left no result.
    """
    env_file = find_env_file(place)
    if env_file is None:
        raise ValueError(f"{place}: there is no env.yaml for it. Give the env.yaml of a finished task, or its folder")
    task = read_task(env_file)
    for verb in task.verbs:
        file = task.output[_RESULTS[verb]]
        if not file.is_file():
            raise ValueError(f"{file}: missing. Only a finished task has a page")
    return task


def _story(tasks: Sequence[Task]) -> Story:
    """Sorts the tasks by verb.

    Raises:
        ValueError: they do not belong on one page.
    """
    trainings = [task for task in tasks if Verb.TRAINING in task.verbs]
    others = [task for task in tasks if Verb.TRAINING not in task.verbs]
    if len(trainings) > 1 or len(others) > 1:
        given = ", ".join(f"{task.env_file} ({task.title})" for task in tasks)
        raise ValueError(f"{given}: allowed are a training, a task that mines or infers, or one of each")
    types = {task.object_type.label for task in tasks}
    if len(types) > 1:
        raise ValueError(f"the tasks have object types {' and '.join(sorted(types))}; one page shows one")
    findings = [found for task in tasks for found in check_out(task.env_file, rotated="angle_unit" in task.config)]
    return Story(next(iter(trainings), None), next(iter(others), None), findings)


def _readable(story: Story) -> list[RankedImage]:
    """The candidates of the story.

    Raises:
        ValueError: a result is not as the platform wants it, so that nothing can be shown.
    """
    try:
        if story.training is not None:
            read_best_stage(story.training)
        return read_candidates(story)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        told = "\n".join(f"- {finding}" for finding in story.findings)
        raise ValueError(f"the results cannot be read ({error!r})\n{told}") from None
