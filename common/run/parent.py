"""The parent process: one task, from env.yaml to the exit status.

It loads no framework, so that no crash of a framework can keep it from reporting.

    read, check everything -> look at the images of a training -> launch the ranks -> wait -> merge -> last monitor line
"""

import logging
import os
import shutil
import signal
import subprocess
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

from common.contract import DEFAULT_MONITOR_FILE, WORK_FOLDER
from common.datasets.stored import leave_splits
from common.errors import ConfigError, StoppedError, YmirError
from common.loop.job import shards_of
from common.loop.merge import merge
from common.progress import part
from common.results.class_metrics import CLASS_FILE, log_classes
from common.run.checks import Candidates, check
from common.run.image import Executor
from common.run.launch import command, failure_of, rank_environment
from common.run.monitor import Monitor
from common.run.process import die_with_parent
from common.run.rank import DATA_READ, LEFT_TO_PARENT
from common.task.env import EnvFile, Task, env_of

log = logging.getLogger(__name__)

STOPPED = "stopped on request; a restart of the task resumes from what is finished"

GRACE = 8.0
"""Seconds between SIGTERM and SIGKILL for the ranks; `docker stop` allows ten in all."""


class Parent:
    """Runs one task of an image and reports its outcome to the platform."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._ranks: subprocess.Popen[bytes] | None = None
        self._deadline: threading.Timer | None = None

    def run(self, path: Path, content: Mapping[str, object] | ConfigError) -> int:
        """Run the task. Never raises: every failure is reported where the platform looks for it.

        Args:
            path: env.yaml, for messages only.
            content: content of env.yaml, or the error that kept it from being read.

        Returns:
            The exit status.
        """
        # Before anything else, and before the ranks exist: a stop while the data set is read must be reported, too.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        # env.yaml names the monitor file, so until it is read a failure can only go to the default place.
        monitor: Monitor | None = None
        try:
            if isinstance(content, ConfigError):
                raise content
            env = env_of(path, content)
            monitor = Monitor(env.output.monitor_file, env.task_id)
            monitor.start()  # again: `announce` ignores errors, but a file that cannot be written must fail the task
            self._run(env, monitor)
            monitor.finish()
        except Exception as error:
            return report(monitor or _default_monitor(), error)
        log.info("done")
        return 0

    def _run(self, env: EnvFile, monitor: Monitor) -> None:
        task, parameters, work = check(self._executor, env)
        _clear_work(task)
        log.info("%s: %s on %s", self._executor.name, " and ".join(sorted(task.verbs)), _devices(task))
        for name, value in parameters.model_dump().items():
            log.info("  %s: %s", name, value)
        if isinstance(work, Candidates):
            self._launch(task)
            merge(task, work.paths, work.job, part(monitor.update, LEFT_TO_PARENT, 1))
        else:
            leave_splits(task, work.labelled, work.max_bad_images, part(monitor.update, 0, DATA_READ))
            self._launch(task)
            log_classes(task.env.output.root_dir / CLASS_FILE, task.object_type)
        shutil.rmtree(task.scratch.parent, ignore_errors=True)

    def _launch(self, task: Task) -> None:
        """Start the ranks, wait for them, and raise the reason of their failure.

        They get a session of their own, so that a signal to their group never reaches this process. torchrun puts each
        of its ranks into a further one: it passes SIGTERM on to them, and when it is killed they die with it, as every
        process here dies with its parent. So even a SIGKILL of this process leaves no rank on a GPU.
        """
        self._ranks = subprocess.Popen(
            command(self._executor.start_file, task, os.environ),
            env=os.environ | rank_environment(task),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        status = self._ranks.wait()
        # After a stop the status does not matter: the ranks may have ended by the signal, or just finished their work.
        if self._deadline is not None:
            self._deadline.cancel()
            raise StoppedError(STOPPED)
        if status != 0:
            raise failure_of(task, status)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGTERM: pass it on to all ranks, and kill them if they take too long.

        While ranks are running the handler only signals them and returns, because the main thread is inside `wait`: it
        continues there, sees the ranks end, and raises. Without ranks there is nothing to wait for, so the handler
        itself raises, in the middle of whatever the main thread is doing. A second SIGTERM does not extend the grace.
        """
        if self._ranks is None or self._ranks.returncode is not None:
            raise StoppedError(STOPPED)
        if self._deadline is None:
            self._deadline = threading.Timer(GRACE, _signal_all, [self._ranks.pid, signal.SIGKILL])
            self._deadline.start()
        _signal_all(self._ranks.pid, signal.SIGTERM)


def _signal_all(group: int, number: int) -> None:
    """Signal every process of a group; one that has just ended needs none."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _default_monitor() -> Monitor | None:
    """Monitor at the default place, for when env.yaml cannot be read; None outside a container."""
    path = Path(DEFAULT_MONITOR_FILE)
    return Monitor(path, "unknown") if path.parent.is_dir() else None


def report(monitor: Monitor | None, error: Exception) -> int:
    """Write the reason of a failure to monitor.txt and, as the last line, to the log. Returns the exit status."""
    known = error if isinstance(error, YmirError) else YmirError(f"{type(error).__name__}: {error}")
    details = known.details if isinstance(error, YmirError) else "".join(traceback.format_exception(error))
    if details:
        print(details, flush=True)
    try:
        if monitor is not None:
            monitor.fail(known.code, str(known), details)
    except OSError as unwritable:
        log.error("monitor.txt cannot be written: %s", unwritable)
    log.error("%d %s: %s", known.code, type(known).__name__, known)
    return known.exit_status


def _clear_work(task: Task) -> None:
    """Keep what this task left before a kill; delete the rest, such as another task's scratch or old failures."""
    root = task.env.output.root_dir / WORK_FOLDER
    for path in root.iterdir() if root.is_dir() else ():
        if path != task.scratch:
            shutil.rmtree(path, ignore_errors=True)
    shards_of(task, 0).release_claims()


def _devices(task: Task) -> str:
    return f"GPU {', '.join(map(str, task.gpu_ids))}" if task.gpu_ids else "the CPU"
