"""Shared by the parent and its ranks: numbers of a rank, steps of the progress, and the reason of a failure."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

DATA_READ = 0.02
"""Progress of a training when the parent has read its data set."""

LEFT_TO_PARENT = 0.99
"""Progress when the ranks have finished: the parent still has to merge."""


@dataclass(frozen=True, slots=True)
class Rank:
    """Numbers of this process among those of the task.

    Attributes:
        number: global rank; rank 0 reports progress.
        local: rank on this machine, which selects the GPU.
        world: number of ranks.
    """

    number: int = 0
    local: int = 0
    world: int = 1

    @classmethod
    def current(cls) -> "Rank":
        """Read torchrun's environment variables; without them this is the only rank."""
        return cls(*(int(os.environ.get(name, default)) for name, default in _TORCHRUN))

    def first(self, write: Callable[[], object], last: Path) -> None:
        """Let rank 0 write files while all others wait.

        Args:
            write: called by rank 0 only.
            last: the file that `write` writes last. Rank 0 deletes it first: a file of an earlier run would end the
                wait of the others too early.
        """
        if self.number == 0:
            last.unlink(missing_ok=True)
            write()
        wait_for(last)


_TORCHRUN = (("RANK", "0"), ("LOCAL_RANK", "0"), ("WORLD_SIZE", "1"))


class Failure(msgspec.Struct, frozen=True):
    """Reason of a rank's failure, on its way to the parent."""

    name: str
    message: str
    timestamp: float
    details: str


def wait_for(path: Path) -> Path:
    """Wait until another rank has written a file. If that rank fails, torchrun ends this one."""
    while not path.is_file():
        time.sleep(0.2)
    return path
