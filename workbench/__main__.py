"""Commands for people: `python -m workbench demo`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from workbench.commands.checking import check_command
from workbench.commands.importing import import_command
from workbench.commands.looping import loop_command
from workbench.commands.reporting import report_command
from workbench.commands.running import run_command
from workbench.demo import DemoError, run_demo
from workbench.plan import DEFAULT, find_plan

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Sample data, tasks as the platform writes them, checks and reports."""


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Folder for the tasks and the report.")] = Path("build/demo"),
    image: Annotated[str, typer.Option(help="Image, by the name of its folder.")] = DEFAULT,
    object_type: Annotated[
        str | None, typer.Option(help="detection, semantic or instance, for an image with several.")
    ] = None,
) -> None:
    """Train, mine and infer on rendered images, and show the results on one page. Takes minutes on 2 cores."""
    try:
        plan = find_plan(image, object_type)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    console = Console()
    try:
        run_demo(folder, console, plan)
    except DemoError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error


@app.command()
def render(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file is stale.")] = False,
) -> None:
    """Write the templates and the parameter tables of the docs, which follow from params.py."""
    from workbench.render import stale, write

    for path in stale() if check else write():
        typer.echo(f"{'stale, run make fix' if check else 'written'}: {path}")
        if check:
            raise typer.Exit(1)


app.command("import")(import_command)
app.command("run")(run_command)
app.command("check")(check_command)
app.command("report")(report_command)
app.command("loop")(loop_command)

if __name__ == "__main__":
    app()
