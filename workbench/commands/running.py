"""`python -m workbench run`."""

import shutil
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from workbench.commands.problem import explained
from workbench.container import Tool, container_launch, tag_of
from workbench.images import image_folder
from workbench.runner import run_image, run_launch
from workbench.task import Task


def run_command(
    image: Annotated[str, typer.Argument(help="Image of this repository, a folder, or the tag of a container image.")],
    env_file: Annotated[Path, typer.Argument(help="env.yaml of the task.")],
    container: Annotated[Tool | None, typer.Option(help="Run in a container; by default, as a process.")] = None,
) -> None:
    """Run a task and show its progress. The exit status is that of the image."""
    console = Console()
    with explained(console, ValueError):
        task = read_task(env_file)
        if container is not None:
            status = _in_container(container, image, task, console)
        else:
            _check_place(task)
            status = run_image(image_folder(image) / "start.py", env_file.resolve(), console)
    if status != 0:
        raise typer.Exit(status)
    console.print(
        f"Done: {task.roots[1]}. To check it: python -m workbench check {env_file}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def read_task(env_file: Path) -> Task:
    """Task of a path that a person gives.

    Raises:
        ValueError: the file is missing, or is not an env.yaml; the message says so.
    """
    try:
        return Task.load(env_file)
    except (OSError, KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{env_file}: no task can be read from it ({error!r}). Give the env.yaml of a task") from None


def _in_container(tool: Tool, image: str, task: Task, console: Console) -> int:
    if shutil.which(tool) is None:
        raise ValueError(f"{tool} is not installed; --container takes {', '.join(Tool)}")
    return run_launch(container_launch(tool, tag_of(image), task), task, f"{tool} with {tag_of(image)}", console)


def _check_place(task: Task) -> None:
    """Rejects a task whose env.yaml names other paths than those where it lies: a process reads those."""
    if task.said[0].resolve() != task.env_file.resolve().parent:
        raise ValueError(
            f"{task.env_file}: puts the input at {task.said[0]}, but lies elsewhere, so only a container can put "
            "it there. Add --container"
        )
