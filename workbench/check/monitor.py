"""monitor.txt: one line that the platform polls every 20 s."""

import math
from typing import Final

from common.contract import Code, State
from workbench.check.finding import Breach, Finding
from workbench.check.reading import text_of
from workbench.check.values import parses
from workbench.task import Task

_ALLOWED_STATES: Final = (State.RUNNING, State.ERROR)
_FIELDS: Final = "task_id, timestamp, percent, state, code and message, joined by tabs"


def check_monitor(task: Task) -> list[Finding]:
    """Breaches in the monitor file of a task that ended well: readable, running to the end, at 100 %."""
    file = task.output["monitor_file"]
    text = text_of(file, "Write it before anything else can fail", task.output["root_dir"])
    if isinstance(text, Finding):
        return [text]
    fields = text.split("\n")[0].strip().split("\t")
    if len(fields) < 4:
        what = f"line 1 has {len(fields)} fields between tabs, at least 4 are needed: {fields}"
        return [Finding(file, what, f"Write {_FIELDS}, in one atomic step")]
    breaches = _breaches(fields, str(task.config["task_id"]))
    return [Finding(file, what, advice) for what, advice in breaches]


def _breaches(fields: list[str], task_id: str) -> list[Breach]:
    """Breaches in the fields of a line."""
    name, timestamp, percent, state, *rest = fields
    code = rest[0] if rest else str(int(Code.OK))
    found = []
    if name != task_id:
        found.append((f"field 1 is {name!r}, the task is {task_id!r}", "Repeat task_id of config.yaml"))
    if not (parses(timestamp, float) and math.isfinite(float(timestamp))):
        found.append((f"timestamp {timestamp!r} is not a number", "Write seconds since 1970"))
    if not (parses(percent, float) and 0 <= float(percent) <= 1):
        found.append((f"percent {percent!r} is not between 0 and 1", "Write the finished share of the task, 0 to 1"))
    elif float(percent) != 1:
        found.append((f"percent is {percent} although the task has ended well", "End with 1"))
    if not (parses(state, int) and int(state) in _ALLOWED_STATES):
        found.append(
            (f"state {state!r} is not one that an image may write", "Write 2 while all is well, 4 after an error")
        )
    elif int(state) == State.ERROR:
        found.append(("state is 4 although the exit status is 0: the task counts as failed", "End with state 2"))
    if not parses(code, int):
        found.append((f"code {code!r} is not an integer", "Write 0, or the code of the failure"))
    elif int(code) != Code.OK:
        found.append((f"code is {code} although the exit status is 0", "End with code 0, or with an exit status"))
    return found
