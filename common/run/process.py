"""Child processes that do not outlive their parent."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Linux: option that sets the signal a process receives when its parent ends; see prctl(2)."""


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, however it ends. Does nothing outside Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
