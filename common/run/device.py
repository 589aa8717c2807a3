"""Choose a rank's device, and shut down its process group. The only torch outside the adapters."""

import torch
import torch.distributed

from common.errors import NoDeviceError
from common.run.rank import Rank
from common.task.env import Task


def device_of(task: Task, rank: Rank) -> torch.device:
    """Return the GPU of a rank, or the CPU if the task has none.

    A container may see GPUs that the platform did not give to this task: config.yaml decides, not what is there.

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
    """Wait for all ranks to finish training, then leave the process group.

    Threads of torch listen to the other ranks. A thread that still listens when another rank exits may abort its own
    process, and a finished training would count as failed.
    """
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
