"""The child process: one rank that trains, or infers and mines. It loads the framework; the parent never does.

A rank is started alone or by torchrun, and takes its number from torchrun's environment variables. Rank 0 reports
progress to monitor.txt; every rank leaves the reason of a failure in a file for the parent.
"""

import errno
import logging
import time
import traceback
from pathlib import Path

import msgspec

from common.errors import DeviceMismatchError, NoDeviceError, OutOfMemoryError, YmirError
from common.files import write_bytes
from common.progress import Progress, part
from common.run.image import Executor, Family
from common.run.monitor import Monitor
from common.run.process import die_with_parent
from common.run.rank import DATA_READ, LEFT_TO_PARENT, Failure, Rank
from common.task.env import Task, read_env, read_task
from common.task.params import CandidateParameters

log = logging.getLogger(__name__)


def run_worker(executor: Executor, path: Path) -> int:
    """Run this rank of the task that the env.yaml at `path` describes.

    Returns:
        The exit status, for torchrun; the parent reads the file of the failure.
    """
    die_with_parent()
    rank = Rank.current()
    task = read_task(read_env(path), tuple(executor.families))
    try:
        _run(executor.family(task.object_type), task, rank)
    except BaseException as error:
        leave_failure(task, rank, error)
        if isinstance(error, Exception):
            return 1
        raise
    return 0


def leave_failure(task: Task, rank: Rank, error: BaseException) -> None:
    """Leave the reason of this rank's failure for the parent."""
    known = translate(error)
    details = "".join(traceback.format_exception(error))
    failure = Failure(type(known).__name__, str(known), time.time(), details)
    write_bytes(task.errors / f"rank-{rank.number}.json", msgspec.json.encode(failure))


def translate(error: BaseException) -> YmirError:
    """Translate an exception of a framework or of Python into one with a platform code."""
    if isinstance(error, YmirError):
        return error
    kind, text = type(error).__name__, str(error)
    sentence = f"{kind}: {text}"
    if kind == "OutOfMemoryError" or isinstance(error, MemoryError) or "out of memory" in text.lower():
        return OutOfMemoryError(f"out of memory; a smaller batch size or img_size needs less ({text})")
    # "DataLoader worker process 0" without a pid stands before any error of a worker, not only before this one.
    if "shared memory" in text or "DataLoader worker (pid" in text:
        return OutOfMemoryError(f"shared memory ran out; a larger shm_size or fewer workers help ({text})")
    if "no kernel image" in text or "forward compatibility" in text or "driver version is insufficient" in text:
        return DeviceMismatchError(f"this image does not support the GPU or its driver ({text})")
    if "No CUDA GPUs are available" in text or "invalid device ordinal" in text:
        return NoDeviceError(f"the GPU that gpu_id names is not there ({text})")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return YmirError(f"no space left on the device ({error.filename or text})")
    return YmirError(sentence)


def _run(family: Family, task: Task, rank: Rank) -> None:
    monitor = Monitor(task.env.output.monitor_file, task.id)

    def progress(fraction: float) -> None:
        if rank.number == 0:
            monitor.update(fraction)

    parameters = family.parse(task)
    if isinstance(parameters, CandidateParameters):
        _infer_and_mine(family, task, parameters, rank, part(progress, 0, LEFT_TO_PARENT))
    else:
        family.train.load()(task, parameters, rank, part(progress, DATA_READ, LEFT_TO_PARENT))


def _infer_and_mine(
    family: Family, task: Task, parameters: CandidateParameters, rank: Rank, progress: Progress
) -> None:
    from common.loop.job import job_of, read_candidates, shards_of
    from common.loop.loop import run_rank

    job = job_of(task, parameters.options())
    candidates = read_candidates(task)
    shards = shards_of(task, len(candidates))
    finished = sum(1 for chunk in shards.chunks if shards.finished(chunk))
    if finished:
        log.info("%d of %d chunks were finished before", finished, len(shards.chunks))
    predictor = family.predictor.load()(task, parameters, rank) if job.needs_model else None
    run_rank(candidates, job, predictor, shards, progress)
