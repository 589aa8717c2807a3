"""A process that has imported a framework and forks tasks from itself; `warm.py` starts it and gives orders.

A small task spends most of its time importing: 16 seconds of processor time for mmyolo, 4 for ultralytics. From the
first line of `start.py` on everything is as ever: a parent, and a rank that is a process of its own, has an environment
of its own, dies with the parent, and says by its exit status how it went.

Each line of the standard input is an order. Two lines of the standard output answer it: the number of the process when
the task begins, and its exit status.
"""

import importlib
import json
import os
import random
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common.run.image import WORKER
from common.run.process import die_with_parent

MODULES = (
    "common.yolo.predictor",
    "common.yolo.trainer",
    "albumentations",
    "onnx",
    "polars",
    "tensorboardX",
    "torch._dynamo",
    "torch.onnx",
)
"""Modules that ultralytics imports sooner or later. Not torchvision: with it ultralytics takes another NMS."""


def load(framework: str) -> None:
    """Import the parent, and a framework as a rank does."""
    importlib.import_module("common.run.parent")
    if framework == "ultralytics":
        from common.yolo.offline import go_offline

        go_offline()
        for module in MODULES:
            importlib.import_module(module)
    else:
        from common.mmlab.patches.compat import prepare

        prepare(framework)


class WaitingRank:
    """A rank that is forked before its parent does anything: threads, as the parent has later, are lost in a fork."""

    def __init__(self) -> None:
        order, self._order = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._order)
            os.setsid()
            die_with_parent()
            with os.fdopen(order, encoding="utf-8") as file:
                text = file.read()
            sys.exit(become(**json.loads(text)) if text else 0)
        os.close(order)

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Let it begin."""
        with os.fdopen(self._order, "w", encoding="utf-8") as file:
            json.dump({"arguments": list(command[1:]), "environment": dict(environment)}, file)

    def wait(self) -> int:
        """Its exit status, as `subprocess.Popen` gives it."""
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


def begin(arguments: list[str], environment: dict[str, str], log: str) -> int:
    """Be the parent of a task. All that is not a single rank, such as torchrun, it starts as ever."""
    die_with_parent()
    for number, path in ((0, os.devnull), (1, log), (2, log)):
        os.dup2(os.open(path, os.O_RDWR | os.O_APPEND), number)
    rank, real = WaitingRank(), subprocess.Popen

    def popen(command: Sequence[str], **options: Any) -> Any:
        if list(command) != [sys.executable, *arguments, WORKER]:
            return real(command, **options)
        rank.start(command, options["env"])
        return rank

    subprocess.Popen = popen
    return become(arguments, environment)


def become(arguments: list[str], environment: dict[str, str]) -> int:
    """Run a script as if this process had been started with it. Returns the exit status."""
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    np.random.seed()
    sys.argv = arguments
    sys.path[0] = str(Path(arguments[0]).parent)
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    load(sys.argv[1])
    for order in sys.stdin:
        pid = os.fork()
        if pid == 0:
            sys.exit(begin(**json.loads(order)))
        print(pid, file=answers, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=answers, flush=True)


if __name__ == "__main__":
    main()
