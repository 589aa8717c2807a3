"""`python -m workbench import`."""

import shlex
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from common.contract import ObjectType, Verb
from workbench.commands.problem import explained
from workbench.form import declared_types, typed_changes
from workbench.images import image_folder
from workbench.imports.entry import Entry, SourceError
from workbench.imports.tally import Tally
from workbench.imports.task import READERS, Imported, Order, import_data_set
from workbench.model import read_model
from workbench.plan import DEFAULT


class TaskWord(StrEnum):
    """Choices of `--task`."""

    TRAINING = "training"
    MINING = "mining"
    INFER = "infer"
    BOTH = "mining+infer"

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """The verbs of env.yaml."""
        return tuple(Verb(word) for word in self.value.split("+"))


Format = StrEnum("Format", {name.upper(): name for name in READERS})  # type: ignore[misc]
"""Choices of the format."""

ChosenType = Annotated[int | None, typer.Option(help="2: boxes, 3: classes of pixels, 4: objects with masks.")]
Devices = Annotated[str, typer.Option(help="GPUs, such as 0,1; empty means the CPU.")]


def import_command(
    form: Annotated[Format, typer.Argument(metavar="FORMAT", help=f"{', '.join(READERS)}.")],
    source: Annotated[Path, typer.Argument(help="Data set: a folder, its JSON file, or its data.yaml.")],
    target: Annotated[Path, typer.Argument(help="New folder for `in` and `out`.")],
    image: Annotated[str, typer.Option(help="Image whose form is filled in: a name or a folder.")] = DEFAULT,
    task: Annotated[TaskWord, typer.Option(help="What the image is to do.")] = TaskWord.TRAINING,
    object_type: ChosenType = None,
    model: Annotated[
        list[Path] | None, typer.Option(help="env.yaml of a finished training, or files of weights; repeatable.")
    ] = None,
    classes: Annotated[str, typer.Option(help="Classes to keep, in this order, separated by commas.")] = "",
    split: Annotated[str | None, typer.Option(help="For candidates: only this split (train, val, test).")] = None,
    val_share: Annotated[
        float, typer.Option(help="Share for validation if the data set has no such split.", min=0.001, max=0.999)
    ] = 0.2,
    seed: Annotated[int, typer.Option(help="Seed that chooses this share.")] = 0,
    gpu_id: Devices = "",
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, a value of the form; repeatable.")] = None,
) -> None:
    """Write a data set as a task, as the platform would."""
    console = Console()
    with explained(console, SourceError, ValueError):
        folder = image_folder(image)
        kind = chosen_type(folder, object_type)
        order = Order(
            image=folder,
            verbs=task.verbs,
            object_type=kind,
            changes=typed_changes(folder, task.verbs[0], set_ or [], kind),
            model=read_model(model) if model else None,
            classes=split_names(classes),
            split=split,
            val_share=val_share,
            seed=seed,
            gpu_id=gpu_id,
        )
        tally = Tally()
        done = import_data_set(str(form), source, target, order, tally, lambda entries: _shown(entries, console))
        show_tally(tally, console)
        _show(done, console)
    run = shlex.join(["python", "-m", "workbench", "run", image, str(done.env_file)])
    console.print(f"Written. To run it: {run}", markup=False, highlight=False, soft_wrap=True)


def chosen_type(image: Path, object_type: int | None) -> ObjectType:
    """The object type that was asked for, or the only one of the image.

    Raises:
        ValueError: none was asked for and there are several, or it is none of the platform's.
    """
    declared = declared_types(image)
    if object_type is not None:
        if object_type not in list(ObjectType):
            raise ValueError(f"--object-type {object_type}: allowed are {', '.join(each.label for each in ObjectType)}")
        return ObjectType(object_type)
    if isinstance(declared, list):
        labels = ", ".join(ObjectType(each).label for each in declared)
        raise ValueError(f"{image.name} supports several object types. Choose with --object-type: {labels}")
    return ObjectType(declared)


def split_names(text: str) -> list[str]:
    """Names with commas between."""
    return [name.strip().lower() for name in text.split(",") if name.strip()]


def show_tally(tally: Tally, console: Console) -> None:
    """Prints the losses, with reasons and an example each."""
    for kind, count, reason, place in tally.rows():
        console.print(f"{count} {kind}: {reason} (first: {place})", markup=False, highlight=False, soft_wrap=True)


def _show(done: Imported, console: Console) -> None:
    """Prints the numbers of images, and of objects per class, of each set."""
    table = Table("", *done.sets, box=None)
    table.add_row("images", *(str(len(images)) for images in done.sets.values()))
    if "train" in done.sets:
        for index, name in enumerate(done.class_names):
            counts = (sum(int((image.classes == index).sum()) for image in part) for part in done.sets.values())
            table.add_row(name, *map(str, counts))
    console.print(table)


def _shown(entries: Sequence[Entry], console: Console) -> Iterable[Entry]:
    return track(entries, "reading", console=console, transient=True, disable=not console.is_terminal)
