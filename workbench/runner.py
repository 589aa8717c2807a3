"""Runs a task, as a process or in a container, and shows how far it is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from common.contract import ENV_FILE_VARIABLE
from workbench.container import Launch
from workbench.task import Task

POLL_SECONDS: Final = 0.2
PLAIN_STEP: Final = 0.05
"""Progress between two lines where no terminal can redraw one."""

TAIL_LINES: Final = 5
"""The platform shows this many last lines of the log as the reason of a failure."""


class Meter(Protocol):
    """Shows the progress of one task."""

    def show(self, share: float) -> None:
        """Takes the progress from 0 to 1."""


def run_image(start_file: Path, env_file: Path, console: Console | None = None) -> int:
    """Runs one task as a process to its end.

    Args:
        start_file: the `start.py` of the image.
        env_file: the env.yaml of the task. What the image prints is appended to the `executor_log_file` that it names.
        console: where the progress goes; standard output by default. A terminal gets a bar, anything else plain lines.

    Returns:
        The exit status of the image. After a failure the end of its log has been shown.
    """
    launch = Launch((sys.executable, str(start_file)), {ENV_FILE_VARIABLE: str(env_file)})
    return run_launch(launch, Task.load(env_file), str(start_file), console)


def run_launch(launch: Launch, task: Task, name: str, console: Console | None = None) -> int:
    """Runs the processes of one task to their end.

    Args:
        launch: the processes.
        task: the task.
        name: of the process, for people.
        console: see `run_image`.

    Returns:
        The exit status of the task, or of what had to come before it; 128 and the signal if one ended it. After a
        failure the end of the log has been shown.
    """
    console = console or Console()
    log_file = task.output["executor_log_file"]
    with _meter(console, task.title) as meter, log_file.open("ab") as log:
        status = _run_all(launch, log.fileno(), task.output["monitor_file"], meter)
    if status != 0:
        console.print(f"{name} ended with exit status {status}; the end of {log_file}:", style="red")
        console.print("\n".join(tail(log_file)), markup=False, highlight=False)
    return status


def read_progress(monitor_file: Path) -> float | None:
    """Progress in monitor.txt, 0 to 1, or None while there is none."""
    try:
        return min(1.0, max(0.0, float(monitor_file.read_text(encoding="utf-8").split("\t")[2])))
    except (OSError, IndexError, ValueError):
        return None


def tail(log_file: Path) -> list[str]:
    """The last lines of the log, which the platform would show."""
    return log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]


def _run_all(launch: Launch, log: int, monitor_file: Path, meter: Meter) -> int:
    try:
        for command in launch.before:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode
            if status != 0:
                return status
        return _run(launch, log, monitor_file, meter)
    finally:
        for command in launch.after:
            subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
            )


def _run(launch: Launch, log: int, monitor_file: Path, meter: Meter) -> int:
    """Starts the image, feeds `meter` until it ends, and leaves no process behind when interrupted."""
    process = subprocess.Popen(
        launch.command,
        env=os.environ | launch.environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        while process.poll() is None:
            _feed(meter, monitor_file)
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
        _feed(meter, monitor_file)
        return process.returncode if process.returncode >= 0 else 128 - process.returncode
    finally:
        process.terminate()
        process.wait()


def _feed(meter: Meter, monitor_file: Path) -> None:
    share = read_progress(monitor_file)
    if share is not None:
        meter.show(share)


@contextmanager
def _meter(console: Console, title: str) -> Iterator[Meter]:
    """A bar that is redrawn, or lines where nothing can be redrawn."""
    if not console.is_terminal:
        yield PlainMeter(console, title)
        return
    columns = (TextColumn("{task.description:<18}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        yield BarMeter(progress, title)


class BarMeter:
    """A bar of a rich display."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=1.0)

    def show(self, share: float) -> None:
        """Moves the bar."""
        self._progress.update(self._task, completed=share)


class PlainMeter:
    """A line for every `PLAIN_STEP` of progress."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._shown = -1.0

    def show(self, share: float) -> None:
        """Prints a line if there is enough news, and for the end in any case."""
        if share - self._shown >= PLAIN_STEP or (share == 1.0 != self._shown):
            self._console.print(f"{self._title}: {share:.0%}", highlight=False)
            self._shown = share
