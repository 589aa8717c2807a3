"""Runs tasks without importing the framework for each of them again: see `nursery.py`.

Tests of what a task does run it so. Tests of processes (torchrun, a kill at any moment, the log from its first line),
and one training and one candidate task of each image, run what the platform runs: `tasks.run`.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tasks import MMDETECTION, MMROTATE, MMYOLO, SEGMENTATION, YOLOV5, Outcome, environment, start

from common.contract import ObjectType
from common.task.env import read_env, read_task
from workbench.images import REPOSITORY

LONGEST = 600
"""Seconds that a task may take."""

FRAMEWORKS = {YOLOV5: "ultralytics", MMYOLO: "mmyolo", MMDETECTION: "mmdet", MMROTATE: "mmrotate"}


def framework_of(image: str, env_file: Path) -> str:
    """The framework that a rank of the task imports."""
    if image != SEGMENTATION:
        return FRAMEWORKS[image]
    semantic = read_task(read_env(env_file), tuple(ObjectType)).object_type is ObjectType.SEMANTIC
    return "mmseg" if semantic else "ultralytics"


class Nursery:
    """The process that has imported one framework."""

    def __init__(self, framework: str) -> None:
        self._caches = tempfile.TemporaryDirectory()
        names = ("XDG_CACHE_HOME", "MPLCONFIGDIR", "YOLO_CONFIG_DIR")
        more = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", **dict.fromkeys(names, self._caches.name)}
        mine = environment(Path(self._caches.name), **more)
        mine["PYTHONPATH"] += f":{REPOSITORY}"
        self._process = subprocess.Popen(
            [sys.executable, "-u", str(Path(__file__).with_name("nursery.py")), framework],
            env=mine,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # or an answer waits in a buffer, where `select` does not see it
        )

    def run(self, image: str, env_file: Path, when: Callable[[], bool] | None = None, **more: str) -> Outcome:
        """Run a task to its end, or kill it once something holds."""
        with tempfile.NamedTemporaryFile("r", encoding="utf-8") as log:
            order = {"arguments": start(image)[1:], "environment": environment(env_file, **more), "log": log.name}
            self._process.stdin.write(f"{json.dumps(order)}\n".encode())
            pid = self._answer()
            if when is not None and self._comes_true(when):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            status = self._answer()
            text = log.read()
        print(text)
        return Outcome(status, text, env_file.parent.parent / "out")

    def _comes_true(self, when: Callable[[], bool]) -> bool:
        """Wait until something holds. False if the task ends before."""
        started = time.monotonic()
        while not when() and time.monotonic() - started < LONGEST:
            if self._answers(within=0.005):
                return False
        return True

    def _answers(self, within: float) -> bool:
        return bool(select.select([self._process.stdout], [], [], within)[0])

    def _answer(self) -> int:
        if not self._answers(within=LONGEST):
            self.close()
            raise TimeoutError(f"no answer for {LONGEST} s")
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it, with what it forked."""
        self._process.kill()
        self._process.communicate()
        self._caches.cleanup()


_nurseries: dict[str, Nursery] = {}


def run_warm(env_file: Path, image: str = YOLOV5, when: Callable[[], bool] | None = None, **more: str) -> Outcome:
    """Run a task in processes that have imported the framework before.

    Args:
        env_file: of the task.
        image: its name.
        when: once this holds, the parent is killed without warning; without it the task runs to its end.
        more: environment variables.
    """
    framework = framework_of(image, env_file)
    if framework not in _nurseries:
        _nurseries[framework] = Nursery(framework)
    return _nurseries[framework].run(image, env_file, when, **more)


def close_nurseries() -> None:
    """End all of them."""
    while _nurseries:
        _nurseries.popitem()[1].close()
