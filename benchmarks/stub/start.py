"""An executor image without a framework: only the engine.

Every process of a task leaves its peak memory, in kilobytes, in the folder that the variable `PEAKS` names.
"""

import os
import sys
from pathlib import Path

FILE = Path(__file__).resolve()
sys.path.insert(1, str(FILE.parent.parent.parent))

from common.contract import ObjectType  # noqa: E402  # the path to `common` comes first
from common.run.entry import Entry  # noqa: E402
from common.run.image import WORKER, Executor, Family  # noqa: E402
from common.run.main import main  # noqa: E402

EXECUTOR = Executor(
    name="stub",
    start_file=FILE,
    families={
        ObjectType.DETECTION: Family(
            parameters=Entry("predictor:PARAMETERS"),
            train=Entry(""),
            predictor=Entry("predictor:load_predictor"),
        )
    },
)


def leave_peak(role: str) -> None:
    """Write the most memory that this process ever had resident.

    Not `getrusage`: its `ru_maxrss` starts with the size of the process that started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    (Path(os.environ["PEAKS"]) / role).write_text(kilobytes, encoding="utf-8")


if __name__ == "__main__":
    exit_status = main(EXECUTOR, sys.argv[1:])
    leave_peak("worker" if sys.argv[1:] == [WORKER] else "parent")
    sys.exit(exit_status)
