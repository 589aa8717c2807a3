"""Figure `first_monitor_line`: time until the platform sees a task; and the time of a task without a model."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.figure import Bound, Figure
from benchmarks.pairs import ratio
from common.contract import ENV_FILE_VARIABLE
from workbench.images import REPOSITORY
from workbench.platform import write_candidate_task
from workbench.runner import tail
from workbench.sample import Sample
from workbench.task import Task

ALLOWED_SECONDS = 0.5
BOUND = Bound(1.0)
ROUNDS = 7
POLL_SECONDS = 0.001
START = REPOSITORY / "det-yolov5-tmi" / "start.py"


def measure(folder: Path) -> Iterator[Figure]:
    """Seconds until monitor.txt has a line over the 0.5 s that are allowed, for random mining of one image."""
    image = Sample(np.full((64, 64, 3), 128, np.uint8))
    parameters = {"mining_algorithm": "random"}
    env_file = write_candidate_task(folder / "task", [image], [], ("a",), parameters, run_mining=True, run_infer=False)
    _run(env_file)  # the first run compiles
    lines, ends = zip(*(_run(env_file) for _ in range(ROUNDS)), strict=True)
    details = {
        "first_line_seconds": median(lines),
        "random_mining_task_seconds": median(ends),
        "bare_interpreter_seconds": median(_interpreter() for _ in range(ROUNDS)),
    }
    yield ratio("first_monitor_line", [seconds / ALLOWED_SECONDS for seconds in lines], BOUND, details)


def _run(env_file: Path) -> tuple[float, float]:
    """Seconds from the start of a task to its first monitor line, and to its end."""
    output = Task.load(env_file).output
    monitor, log = output["monitor_file"], output["executor_log_file"]
    monitor.unlink(missing_ok=True)
    environment = os.environ | {ENV_FILE_VARIABLE: str(env_file)}
    start = time.perf_counter()
    with (
        log.open("wb") as handle,
        subprocess.Popen([sys.executable, str(START)], env=environment, stdout=handle, stderr=handle) as process,
    ):
        while not _has_line(monitor):
            time.sleep(POLL_SECONDS)
        seen = time.perf_counter()
        if process.wait() != 0:
            raise RuntimeError(f"{START.name} ended with status {process.returncode}:\n" + "\n".join(tail(log)))
    return seen - start, time.perf_counter() - start


def _has_line(monitor: Path) -> bool:
    return monitor.exists() and "\n" in monitor.read_text(encoding="utf-8")


def _interpreter() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True)
    return time.perf_counter() - start
