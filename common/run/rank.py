"""What the parent and its ranks share: the number of a rank, the steps of the progress, and the reason of a failure."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

DATA_READ = 0.02
"""Progress of a training when its data set is read: the parent's share at the beginning."""

LEFT_TO_PARENT = 0.99
"""Progress when the ranks are done: the parent still has to merge."""


@dataclass(frozen=True, slots=True)
class Rank:
    """This process among those of the task.

    Attributes:
        number: global, 0 reports progress.
        local: on this machine; picks the GPU.
        world: how many ranks there are.
    """

    number: int = 0
    local: int = 0
    world: int = 1

    @classmethod
    def current(cls) -> "Rank":
        """From torchrun's environment, or the only one."""
        return cls(*(int(os.environ.get(name, default)) for name, default in _TORCHRUN))

    def first(self, write: Callable[[], object], last: Path) -> None:
        """Have rank 0 write files, while all others wait.

        Args:
            write: called by rank 0 only.
            last: the file that `write` writes last. Without it nobody takes the files of an earlier run for complete.
        """
        if self.number == 0:
            last.unlink(missing_ok=True)
            write()
        wait_for(last)


_TORCHRUN = (("RANK", "0"), ("LOCAL_RANK", "0"), ("WORLD_SIZE", "1"))


class Failure(msgspec.Struct, frozen=True):
    """Why a rank failed, on its way to the parent."""

    name: str
    message: str
    timestamp: float
    details: str


def wait_for(path: Path) -> Path:
    """Wait until another rank has written a file. If that rank fails, torchrun ends this one."""
    while not path.is_file():
        time.sleep(0.2)
    return path
