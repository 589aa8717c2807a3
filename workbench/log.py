"""Reads the parameters and the duration of a task from its log."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from workbench.task import Task

_LINE: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) [A-Z]+ (.*)")
_PARAMETER: Final = re.compile(r"  (\w+): ?(.*)", re.DOTALL)
_END: Final = "done"

_Entry = tuple[datetime, str]
"""Time and message."""


@dataclass(frozen=True, slots=True)
class Run:
    """A task as its log describes it; logs of other images describe nothing.

    Attributes:
        image: name and device: `det-yolov5-tmi on the CPU`. Empty = unknown.
        parameters: all parameters, defaults included, as texts. Empty = unknown.
        seconds: from start to end; None unless the log has exactly one run that ended well.
    """

    image: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None


def read_run(task: Task) -> Run:
    """The last run in the log of a task."""
    file = task.output["executor_log_file"]
    entries = _entries(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else []
    verbs = re.escape(" and ".join(sorted(task.verbs)))
    starts = [i for i, (_, said) in enumerate(entries) if re.fullmatch(rf"\S+: {verbs} on .+", said)]
    if not starts:
        return Run()
    last = entries[starts[-1] :]
    ends = [when for when, said in last if said == _END]
    alone = len(starts) == 1 and len(ends) == 1
    seconds = (ends[0] - last[0][0]).total_seconds() if alone else None
    return Run(last[0][1].replace(f": {' and '.join(sorted(task.verbs))}", "", 1), _parameters(last[1:]), seconds)


def _entries(text: str) -> list[_Entry]:
    """The messages of the image; a line that does not begin like one continues the one before."""
    entries: list[_Entry] = []
    for line in text.splitlines():
        if found := _LINE.fullmatch(line):
            entries.append((datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f"), found[2]))
        elif entries:
            when, said = entries[-1]
            entries[-1] = (when, f"{said}\n{line}")
    return entries


def _parameters(entries: Sequence[_Entry]) -> dict[str, str]:
    """Parameters in the entries right after the start."""
    parameters: dict[str, str] = {}
    for _, said in entries:
        found = _PARAMETER.fullmatch(said)
        if found is None:
            break
        parameters[found[1]] = found[2]
    return parameters
