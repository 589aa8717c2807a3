"""Which device a rank computes on, and its end among the others. The only torch outside the adapters."""

import torch
import torch.distributed

from common.errors import NoDeviceError
from common.run.rank import Rank
from common.task.env import Task


def device_of(task: Task, rank: Rank) -> torch.device:
    """The GPU of a rank, or the CPU where the task has none.

    A CUDA image may see GPUs that the platform did not give to this task: config.yaml decides, not what is there.

    Raises:
        NoDeviceError: gpu_id names a GPU that is not there.
    """
    if not task.gpu_ids:
        return torch.device("cpu")
    number = task.gpu_ids[rank.local % len(task.gpu_ids)]
    if number >= torch.cuda.device_count():
        raise NoDeviceError(f"gpu_id: {number} is asked for, but torch sees {torch.cuda.device_count()} GPUs")
    return torch.device("cuda", number)


def leave_group() -> None:
    """Leave the other ranks when all have trained.

    torch has threads that listen to them. One that still does while the process of another ends may abort its own.
    """
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
