"""`python -m workbench loop`."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from common.contract import ObjectType, Verb
from common.mining.registry import ALGORITHMS
from workbench.commands.importing import ChosenType, Devices, Format, chosen_type, show_tally
from workbench.commands.problem import explained
from workbench.form import typed_changes
from workbench.images import REPOSITORY, image_folder
from workbench.imports.entry import SourceError
from workbench.imports.tally import Tally
from workbench.imports.task import Order, read_sets
from workbench.loop.outcome import run_loop
from workbench.loop.rendered import QUICK, rendered_pool
from workbench.loop.setup import LoopError, Pool, Setup, check_setup
from workbench.plan import DEFAULT

RENDERED: Final = (240, 30)
"""Images to choose from and to judge by, where no data set is given."""


def loop_command(
    folder: Annotated[
        Path, typer.Argument(help="Folder for the tasks and the curves. Run the same command again to resume.")
    ],
    form: Annotated[
        Format | None, typer.Option("--format", help="Format of the data set; without one, images are rendered.")
    ] = None,
    source: Annotated[Path | None, typer.Option(help="Data set, as for `import`.")] = None,
    image: Annotated[str, typer.Option(help="Image that trains and mines: a name or a folder.")] = DEFAULT,
    object_type: ChosenType = None,
    algorithms: Annotated[str, typer.Option(help="Algorithms to compare, separated by commas.")] = "random,entropy",
    start: Annotated[int, typer.Option(help="Labelled images at the start.", min=1)] = 60,
    add: Annotated[int, typer.Option(help="Images labelled per round.", min=1)] = 30,
    rounds: Annotated[int, typer.Option(help="Rounds of mining and training.", min=1)] = 2,
    seeds: Annotated[int, typer.Option(help="Repetitions with different first images.", min=1)] = 1,
    scratch: Annotated[
        bool, typer.Option(help="Train from scratch in each round, not from the previous model.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE, a value of the training form; repeatable.")
    ] = None,
    set_mining: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE, a value of the mining form; repeatable.")
    ] = None,
    val_share: Annotated[float, typer.Option(help="See `import`.", min=0.001, max=0.999)] = 0.2,
    gpu_id: Devices = "",
) -> None:
    """Train, mine and label in turns on data with known labels, and compare algorithms by their learning curves."""
    console = Console()
    with explained(console, LoopError, SourceError, ValueError):
        place = image_folder(image)
        kind = chosen_type(place, object_type)
        training, mining = QUICK.get(place.name, ({}, {})) if form is None else ({}, {})
        setup = Setup(
            image=place,
            object_type=kind,
            algorithms=[name.strip() for name in algorithms.split(",") if name.strip()],
            start=start,
            add=add,
            rounds=rounds,
            seeds=seeds,
            from_scratch=scratch,
            training={**training, **typed_changes(place, Verb.TRAINING, set_ or [], kind)},
            mining={**mining, **typed_changes(place, Verb.MINING, set_mining or [], kind)},
            gpu_id=gpu_id,
        )
        _check_algorithms(setup)
        pool = _pool(form, source, setup, val_share, console)
        check_setup(setup, pool, folder)
        run_loop(folder, setup, pool, console)


def _check_algorithms(setup: Setup) -> None:
    """Rejects a wrong name before the first training; images of others may have other algorithms."""
    known = list(ALGORITHMS.get(setup.object_type, {}))
    unknown = [name for name in setup.algorithms if name not in known]
    if not setup.algorithms or (unknown and setup.image.parent == REPOSITORY):
        raise ValueError(f"--algorithms {', '.join(unknown)}: allowed are {', '.join(known)}")


def _pool(form: Format | None, source: Path | None, setup: Setup, val_share: float, console: Console) -> Pool:
    """The data: a data set, or rendered images."""
    if form is None and source is None:
        if setup.object_type is not ObjectType.DETECTION or "angle_unit" in setup.form(Verb.TRAINING):
            raise ValueError("rendered images only have upright boxes; give --format and --source of a data set")
        return rendered_pool(*RENDERED)
    if form is None or source is None:
        raise ValueError("give both --format and --source of a data set, or neither for rendered images")
    tally = Tally()
    order = Order(setup.image, (Verb.TRAINING,), setup.object_type, setup.training, val_share=val_share)
    names, sets = read_sets(str(form), source, order, tally)
    show_tally(tally, console)
    return Pool(f"{form} {source}", names, sets.train, sets.val)
