"""Command and environment of the ranks, and the reason of their failure."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from common.contract import WORK_FOLDER
from common.errors import BY_NAME, OutOfMemoryError, YmirError
from common.run.image import WORKER
from common.run.rank import Failure
from common.task.env import Task


def command(start_file: Path, task: Task, environment: Mapping[str, str]) -> list[str]:
    """Build the command that starts the ranks: one process, or torchrun for several GPUs or several machines.

    On several machines torchrun takes its settings from `PET_*` variables, which an argument of ours would override.
    """
    elastic = any(name.startswith("PET_") for name in environment)
    if len(task.gpu_ids) < 2 and not elastic:
        return [sys.executable, str(start_file), WORKER]
    alone = [] if elastic else ["--standalone", f"--nproc-per-node={len(task.gpu_ids)}"]
    return [sys.executable, "-m", "torch.distributed.run", *alone, str(start_file), WORKER]


def rank_environment(task: Task) -> dict[str, str]:
    """Build the environment of the ranks: unbuffered output, shared cores, writable caches, no network."""
    cores = len(os.sched_getaffinity(0))
    cache = str(task.env.output.root_dir / WORK_FOLDER / "cache")
    caches = ("XDG_CACHE_HOME", "TORCH_HOME", "TORCHINDUCTOR_CACHE_DIR", "MPLCONFIGDIR", "YOLO_CONFIG_DIR")
    return {
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(cores // max(len(task.gpu_ids), 1), 1))),
        # Threads that spin while they wait take the cores from the processes that they wait for (readers of images,
        # other ranks): with them a training on two cores took 10 times as long.
        "OMP_WAIT_POLICY": "PASSIVE",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "HF_HUB_OFFLINE": "1",
        **dict.fromkeys(caches, cache),
    }


def failure_of(task: Task, status: int) -> YmirError:
    """Find the reason why the ranks ended with `status`: the earliest failure on file, or the meaning of the status."""
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
    return YmirError(f"the worker ended with status {status} and gave no reason")
