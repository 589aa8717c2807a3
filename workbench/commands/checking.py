"""`python -m workbench check`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from workbench.check import Finding, check_out
from workbench.check.img_man import check_img_man
from workbench.commands.problem import explained
from workbench.commands.running import read_task
from workbench.task import find_env_file


def check_command(
    place: Annotated[
        Path, typer.Argument(help="env.yaml of a finished task, its `out` folder, or an `img-man` folder.")
    ],
) -> None:
    """Check outputs of a task, or forms of an image, against the platform's contract. Exit status 1 on a finding."""
    console = Console()
    with explained(console, ValueError):
        findings = check_place(place)
    show_findings(findings, console)
    if findings:
        raise typer.Exit(1)


def check_place(place: Path) -> list[Finding]:
    """Findings in an output or an img-man.

    Args:
        place: an env.yaml, the folder `out` beside its `in`, or a folder that holds both; a folder `img-man`, or the
            folder of an image that holds it.

    Raises:
        ValueError: it is none of these; the message says what was expected.
    """
    img_man = _img_man(place)
    if img_man is not None:
        return check_img_man(img_man)
    env_file = _env_file(place)
    task = read_task(env_file)
    return check_out(env_file, rotated="angle_unit" in task.config)


def show_findings(findings: Sequence[Finding], console: Console) -> None:
    """Prints each finding with its place and advice, or that there is none."""
    for number, finding in enumerate(findings, 1):
        console.print(f"{number}. {finding.file}", style="bold", markup=False, highlight=False, soft_wrap=True)
        console.print(f"   {finding.what}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"   -> {finding.advice}", style="green", markup=False, highlight=False, soft_wrap=True)
    if not findings:
        console.print("No problems: the platform will read these outputs as intended.", style="green")
    else:
        console.print(f"{len(findings)} finding{'s' if len(findings) > 1 else ''}", style="red")


def _img_man(place: Path) -> Path | None:
    if not place.is_dir():
        return None
    if (place / "img-man").is_dir():
        return place / "img-man"
    named = place.name == "img-man"
    looks_so = (place / "manifest.yaml").exists() or any(place.glob("**/*-template.yaml"))
    return place if named or looks_so else None


def _env_file(place: Path) -> Path:
    found = find_env_file(place)
    if found is None:
        raise ValueError(
            f"{place}: there is no env.yaml for it and no template in it. Give the env.yaml of a finished task, "
            "its folder `out` with `in` beside it, or a folder `img-man`"
        )
    return found
