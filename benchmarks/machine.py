"""Description of the machine: enough to judge the figures, nothing that names it."""

import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("torch", "ultralytics", "numpy", "opencv-contrib-python-headless")


def describe() -> dict[str, str]:
    """Processor, cores, system, versions and date."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


class Others:
    """Share of the processor that other programs use from now on, without what this process waits for."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._before = _others_seconds()

    def cores(self) -> float:
        """Cores that they kept busy, on the average."""
        return max(_others_seconds() - self._before, 0.0) / (time.monotonic() - self._start)


def _others_seconds() -> float:
    """Processor seconds since the machine started, less those of this process and of its finished children."""
    user, nice, system, _idle, _waiting, *stolen = map(int, _first_line("/proc/stat").split()[1:9])
    own = os.times()
    return (user + nice + system + sum(stolen)) / os.sysconf("SC_CLK_TCK") - sum(own[:4])


def _first_line(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").partition("\n")[0]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
