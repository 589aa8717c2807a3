"""monitor.txt: progress of the task, or the reason of its failure. The platform reads it every 20 seconds."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.contract import Code, State
from common.files import write_text

WRITE_INTERVAL = 1.0
"""Minimum number of seconds between two progress lines."""


@dataclass(frozen=True, slots=True)
class MonitorLine:
    """First line of a monitor file."""

    task_id: str
    timestamp: float
    percent: float
    state: State
    code: int = Code.OK
    message: str = ""

    def text(self) -> str:
        """Format the line for the platform: fields separated by tabs, percent in [0, 1]."""
        message = " ".join(self.message.split())
        fields = (
            self.task_id,
            f"{self.timestamp:.3f}",
            f"{self.percent:.4f}",
            int(self.state),
            int(self.code),
            message,
        )
        return "\t".join(map(str, fields)).rstrip("\t") + "\n"


def read_monitor(path: Path) -> MonitorLine | None:
    """Read the first line, or None if there is none that can be read."""
    try:
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        task_id, timestamp, percent, state, *rest = first.split("\t")
        code, message = int(rest[0]) if rest else 0, rest[1] if len(rest) > 1 else ""
        return MonitorLine(task_id, float(timestamp), float(percent), State(int(state)), code, message)
    except (OSError, ValueError):
        return None


class Monitor:
    """Writes progress: atomically, at most once per second, never backwards.

    Parent and worker each have one for the same file. A monitor starts from the progress in the file, so neither
    process takes back the progress of the other, and a restarted task resumes from its last percentage.

    Args:
        path: the monitor file of the task.
        task_id: first field of the line.
        clock: returns seconds since the epoch; replaced in tests.
    """

    def __init__(self, path: Path, task_id: str, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._task_id = task_id
        self._clock = clock
        before = read_monitor(path)
        same_task = before is not None and before.task_id == task_id and before.state == State.RUNNING
        self._percent = before.percent if before is not None and same_task else 0.0
        self._written = float("-inf")

    @property
    def percent(self) -> float:
        """Progress of the task, in [0, 1]."""
        return self._percent

    def start(self) -> None:
        """Write the first line, before anything can fail."""
        self._write(State.RUNNING)

    def update(self, percent: float) -> None:
        """Report progress.

        Args:
            percent: in [0, 1]; values below the last reported one are ignored.
        """
        percent = min(max(percent, 0.0), 1.0)
        if f"{percent:.4f}" <= f"{self._percent:.4f}":
            return
        self._percent = percent
        if self._clock() - self._written >= WRITE_INTERVAL:
            self._write(State.RUNNING)

    def finish(self) -> None:
        """Report the end of all work. The state stays RUNNING: the platform ends the task by the exit status."""
        self._percent = 1.0
        self._write(State.RUNNING)

    def fail(self, code: int, message: str, details: str = "") -> None:
        """Report a failure at the current percentage.

        Args:
            code: a platform code.
            message: one sentence for the user.
            details: further lines (a stack trace) for developers; the platform reads up to 100 lines.
        """
        last = read_monitor(self._path)
        if last is not None and last.task_id == self._task_id:
            self._percent = max(self._percent, last.percent)
        self._write(State.ERROR, code, message, details)

    def _write(self, state: State, code: int = Code.OK, message: str = "", details: str = "") -> None:
        self._written = self._clock()
        first = MonitorLine(self._task_id, self._written, self._percent, state, code, message)
        lines = details.splitlines()[-98:]
        write_text(self._path, first.text() + "".join(f"{line}\n" for line in lines), durable=state == State.ERROR)
