"""The parent process: one task, from env.yaml to the exit status.

It loads no framework, so it survives whatever happens to one.

    read, check everything -> launch the ranks -> wait -> merge -> last monitor line, exit status
"""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from common.contract import (
    DEFAULT_EXPORT_FORMAT,
    DEFAULT_MONITOR_FILE,
    USABLE_FORMATS,
    WORK_FOLDER,
    AnnotationFormat,
    ObjectType,
    Verb,
)
from common.datasets.index import duplicate_names, missing_files, read_training_index
from common.env import EnvFile, Task, collect_task, read_env
from common.errors import (
    BY_NAME,
    ConfigError,
    DatasetError,
    ModelError,
    ObjectTypeError,
    OutOfMemoryError,
    Problems,
    StoppedError,
    YmirError,
)
from common.executor import WORKER, Executor
from common.first_line import env_file
from common.monitor import Monitor
from common.params import CandidateParameters, Parameters
from common.pool import read_candidates, shards_of
from common.process import die_with_parent
from common.progress import part
from common.results.class_metrics import CLASS_FILE, log_classes
from common.weights import choose
from common.worker import LEFT_TO_PARENT

log = logging.getLogger(__name__)

STOPPED = "stopped on request; a restart of the task goes on from what is finished"

GRACE = 8.0
"""Seconds that the ranks have after SIGTERM; `docker stop` gives ten in all."""


class Parent:
    """Runs one task of an image, and tells the platform how it went."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._ranks: subprocess.Popen[bytes] | None = None
        self._deadline: threading.Timer | None = None

    def run(self) -> int:
        """Run the task that the environment names. Returns the exit status; never raises."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        monitor: Monitor | None = None
        try:
            env = read_env(env_file())
            monitor = Monitor(env.output.monitor_file, env.task_id)
            monitor.start()
            self._run(env, monitor)
            monitor.finish()
        except Exception as error:
            return report(monitor or _default_monitor(), error)
        log.info("done")
        return 0

    def _run(self, env: EnvFile, monitor: Monitor) -> None:
        task, parameters = check(self._executor, env)
        _clear_work(task)
        log.info("%s: %s on %s", self._executor.name, " and ".join(sorted(task.verbs)), _devices(task))
        for name, value in parameters.model_dump().items():
            log.info("  %s: %s", name, value)
        self._launch(task)
        if Verb.TRAINING in task.verbs:
            log_classes(task.env.output.root_dir / CLASS_FILE, task.object_type)
        else:
            from common.candidates import job_of, merge

            assert isinstance(parameters, CandidateParameters)
            progress = part(monitor.update, LEFT_TO_PARENT, 1)
            merge(task, read_candidates(task), job_of(task, parameters.options()), progress)
        shutil.rmtree(task.scratch.parent, ignore_errors=True)

    def _launch(self, task: Task) -> None:
        """Start the ranks, wait for them, and raise the reason if they fail."""
        self._ranks = subprocess.Popen(
            command(self._executor.start_file, task, os.environ),
            env=os.environ | rank_environment(task),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        status = self._ranks.wait()
        if self._deadline is not None:
            self._deadline.cancel()
            raise StoppedError(STOPPED)
        if status != 0:
            raise failure_of(task, status)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """SIGTERM: pass it to all ranks, and end them if they take too long. The main thread waits for them."""
        if self._ranks is None or self._ranks.returncode is not None:
            raise StoppedError(STOPPED)
        if self._deadline is None:
            self._deadline = threading.Timer(GRACE, self._signal, [signal.SIGKILL])
            self._deadline.start()
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        assert self._ranks is not None
        with suppress(ProcessLookupError):
            os.killpg(self._ranks.pid, number)


def check(executor: Executor, env: EnvFile) -> tuple[Task, Parameters]:
    """Read the task, and find every mistake that can be found without the framework, at once.

    Raises:
        YmirError: all of them in one message.
    """
    problems = Problems()
    task = collect_task(env, problems, tuple(executor.families))
    parameters: Parameters | None = None
    if task.verbs and not problems.has(ObjectTypeError):  # or nobody knows whose parameters they are
        parameters = problems.attempt(None, lambda: executor.family(task.object_type).parse(task))
    if Verb.TRAINING in task.verbs:
        _check_training_data(task, problems)
    else:
        problems.attempt(None, lambda: _check_candidates(task))
    problems.attempt(None, lambda: _check_models(task, parameters))
    problems.raise_all()
    assert parameters is not None
    return task, parameters


def _default_monitor() -> Monitor | None:
    """Where the platform looks when env.yaml does not say; outside a container there is no such folder."""
    path = Path(DEFAULT_MONITOR_FILE)
    return Monitor(path, "unknown") if path.parent.is_dir() else None


def report(monitor: Monitor | None, error: Exception) -> int:
    """Tell the platform and the reader of the log why the task failed; the reason is the last line of both."""
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


def command(start_file: Path, task: Task, environment: Mapping[str, str]) -> list[str]:
    """What starts the ranks: one process, or torchrun where there are several GPUs or several machines.

    On several machines torchrun is set up by its own `PET_*` variables, which an argument of ours would override.
    """
    elastic = any(name.startswith("PET_") for name in environment)
    if len(task.gpu_ids) < 2 and not elastic:
        return [sys.executable, str(start_file), WORKER]
    alone = [] if elastic else ["--standalone", f"--nproc-per-node={len(task.gpu_ids)}"]
    return [sys.executable, "-m", "torch.distributed.run", *alone, str(start_file), WORKER]


def rank_environment(task: Task) -> dict[str, str]:
    """Environment of the ranks: output at once, threads that share the cores, writable caches, no network."""
    cores = len(os.sched_getaffinity(0))
    cache = str(task.env.output.root_dir / WORK_FOLDER / "cache")
    caches = ("XDG_CACHE_HOME", "TORCH_HOME", "TORCHINDUCTOR_CACHE_DIR", "MPLCONFIGDIR", "YOLO_CONFIG_DIR")
    return {
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(cores // max(len(task.gpu_ids), 1), 1))),
        # Threads that wait for each other by spinning slow a machine down by a factor where other processes (those that
        # read images, other ranks) want the same cores: a training on two cores took 10 times as long.
        "OMP_WAIT_POLICY": "PASSIVE",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "HF_HUB_OFFLINE": "1",
        **dict.fromkeys(caches, cache),
    }


def failure_of(task: Task, status: int) -> YmirError:
    """Why the ranks ended with `status`: the earliest failure that one left, or what the status tells."""
    import msgspec

    from common.worker import Failure

    left = [msgspec.json.decode(path.read_bytes(), type=Failure) for path in task.errors.glob("rank-*.json")]
    if left:
        first = min(left, key=lambda failure: failure.timestamp)
        error = BY_NAME[first.name](first.message)
        if type(error) is YmirError:
            error.details = first.details
        return error
    if status in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return OutOfMemoryError(
            "the worker was killed (SIGKILL), most likely for lack of memory; a smaller batch may help"
        )
    if status < 0:
        return YmirError(f"the worker died of {signal.Signals(-status).name}")
    return YmirError(f"the worker ended with status {status} and left no reason")


def _check_training_data(task: Task, problems: Problems) -> None:
    if not problems.has(ObjectTypeError):
        problems.attempt(None, lambda: _check_format(task))
    if task.annotation_format is AnnotationFormat.NONE:
        return  # the platform leaves the indexes empty then
    for key in ("training_index_file", "val_index_file"):
        problems.attempt(None, partial(_check_index, key, getattr(task.env.input, key)))


def _check_format(task: Task) -> None:
    usable = USABLE_FORMATS[task.object_type]
    if task.annotation_format not in usable.values():
        value = task.config.get("export_format") or DEFAULT_EXPORT_FORMAT
        what = "annotations" if task.object_type is ObjectType.DETECTION else "masks"
        raise ConfigError(f"export_format: {value!r} exports no {what} (one of {', '.join(usable)})")


def _check_index(key: str, path: Path | None) -> None:
    if path is None:
        raise DatasetError(f"input.{key}: empty in env.yaml; training needs it")
    samples = read_training_index(path)
    _refuse_missing(path, missing_files([file for sample in samples for file in (sample.image, sample.annotation)]))


def _check_candidates(task: Task) -> None:
    candidates = read_candidates(task)
    _refuse_missing(task.env.input.candidate_index_file, missing_files(candidates))
    for name, paths in duplicate_names(candidates).items():
        log.warning(
            "%d candidates are called %s; infer-result.json holds the first only: %s", len(paths), name, paths[0]
        )


def _refuse_missing(index: Path | None, missing: Sequence[str | Path]) -> None:
    if missing:
        names = ", ".join(map(str, missing[:3])) + (", ..." if len(missing) > 3 else "")
        raise DatasetError(f"{index}: {len(missing)} files that it names do not exist: {names}")


def _check_models(task: Task, parameters: Parameters | None) -> None:
    """A given model must be there; inference and model-based mining cannot do without one."""
    key = "pretrained_model_params" if Verb.TRAINING in task.verbs else "model_params_path"
    listed: Any = task.config.get(key)
    if task.model_files:
        choose(task.model_files)
    elif listed:
        raise ModelError(f"{key}: none of {listed} exists, nor any other file in {task.env.input.models_dir}")
    elif _needs_model(task, parameters):
        raise ModelError(f"{key}: missing or empty; this task needs the weights of a trained model")


def _needs_model(task: Task, parameters: Parameters | None) -> bool:
    if not isinstance(parameters, CandidateParameters):
        return Verb.INFER in task.verbs  # or they were wrong; what mining would have needed is not known then
    from common.candidates import job_of

    return job_of(task, parameters.options()).needs_model


def _clear_work(task: Task) -> None:
    """Keep what this very task left before a kill; drop the rest, such as another task's scratch or old failures."""
    root = task.env.output.root_dir / WORK_FOLDER
    for path in root.iterdir() if root.is_dir() else ():
        if path != task.scratch:
            shutil.rmtree(path, ignore_errors=True)
    shards_of(task, 0).release_claims()


def _devices(task: Task) -> str:
    return f"GPU {', '.join(map(str, task.gpu_ids))}" if task.gpu_ids else "the CPU"
