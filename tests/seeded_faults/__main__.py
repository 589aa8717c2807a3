"""Run the tests against each seeded fault: `python -m seeded_faults [part of a file name ...]`, without words all.

A copy of the repository gets one fault after the other, and the tests that should notice it run there. First they run
without a fault: tests that fail anyway notice nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from seeded_faults.faults import FAULTS, REPOSITORY, Fault

LIMIT = 600
"""Seconds for the tests of one fault. A fault that makes them hang counts as noticed."""

ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}
"""As in `make test`: sums in another order would move the boxes of models with random weights."""

FAILED = 1
"""pytest's exit status where a test failed; any other means that it did not run them."""


def main(words: Sequence[str]) -> int:
    """Print a table of the faults and what noticed them. Returns 1 if one was not noticed."""
    faults = [fault for fault in FAULTS if not words or any(word in fault.file for word in words)]
    with tempfile.TemporaryDirectory() as folder:
        root = copy_of_repository(Path(folder))
        files = sorted({test.partition("::")[0] for fault in faults for test in fault.tests})
        sound = sorted({test for fault in faults for test in fault.tests})
        status, seconds = run_tests(root, sound)
        print(f"without a fault: {len(sound)} selections of {len(files)} files, exit status {status}, {seconds:.0f} s")
        if status:
            return 2
        missed = 0
        print("| file | fault | noticed | s |\n|---|---|---|---|")
        for fault in faults:
            with planted(fault, root):
                status, seconds = run_tests(root, fault.tests)
            missed += status != FAILED
            print(
                f"| {fault.file} | {fault.what} | {'yes' if status == FAILED else 'NO'} | {seconds:.0f} |", flush=True
            )
    print(f"{len(faults) - missed} of {len(faults)} faults were noticed")
    return 1 if missed else 0


def copy_of_repository(folder: Path) -> Path:
    """The tracked files as they are in the working tree."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, folder / name)
    return folder


@contextmanager
def planted(fault: Fault, root: Path) -> Iterator[None]:
    """The fault, as long as the block lasts."""
    path = root / fault.file
    right = path.read_text(encoding="utf-8")
    path.write_text(right.replace(fault.right, fault.wrong), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(right, encoding="utf-8")


def run_tests(root: Path, tests: Sequence[str]) -> tuple[int, float]:
    """Exit status of pytest, `FAILED` where it took too long, and seconds."""
    start = time.monotonic()
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=root, env=ONE_THREAD, stdout=subprocess.DEVNULL, timeout=LIMIT, check=False)
        status = done.returncode
    except subprocess.TimeoutExpired:
        status = FAILED
    return status, time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
