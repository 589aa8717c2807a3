"""Figures of memory: growth with ten times the candidates, in the rank and in the parent that merges."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.figure import Bound, Figure
from benchmarks.pairs import ratio
from common.contract import ENV_FILE_VARIABLE
from workbench.images import REPOSITORY
from workbench.platform import write_candidate_task
from workbench.sample import Sample

BOUND = Bound(1.15)
FEW, MANY = 2_000, 20_000
ROUNDS = 2
START = REPOSITORY / "benchmarks" / "stub" / "start.py"
PARAMETERS = {"mining_algorithm": "entropy", "batch_size_per_gpu": 16, "num_workers_per_gpu": 2}


@dataclass(frozen=True, slots=True)
class Run:
    """One task from its start to its end.

    Attributes:
        worker, parent: peak resident memory of the two processes, in kilobytes.
        seconds: the whole task.
    """

    worker: int
    parent: int
    seconds: float


def measure(folder: Path) -> Iterator[Figure]:
    """Peak memory for 20 000 candidates over that for 2 000, mining and inference in one task, without a framework."""
    weights = folder / "best.pt"
    weights.touch()
    few, many = ([_run(folder, weights, count, i) for i in range(ROUNDS)] for count in (FEW, MANY))
    speed = {"candidates_per_second": MANY / median(run.seconds for run in many)}
    workers = [run.worker for run in few], [run.worker for run in many]
    parents = [run.parent for run in few], [run.parent for run in many]
    yield _growth("memory_20000_candidates_worker", *workers, speed)
    yield _growth("memory_20000_candidates_merge", *parents, {})


def _growth(name: str, few: Sequence[int], many: Sequence[int], more: dict[str, float]) -> Figure:
    ratios = [b / a for a, b in zip(few, many, strict=True)]
    details = {f"MiB_{FEW}": median(few) / 1024, f"MiB_{MANY}": median(many) / 1024}
    return ratio(name, ratios, BOUND, details | more)


def _run(folder: Path, weights: Path, count: int, number: int) -> Run:
    root = folder / f"{count}-{number}"
    tiny = Sample(np.full((64, 64, 3), 128, np.uint8))
    samples = [Sample(tiny.image, name=f"{i % 100:02d}/{i:040x}.jpg", content=tiny.encoded) for i in range(count)]
    env_file = write_candidate_task(
        root, samples, [weights], ("a", "b", "c"), PARAMETERS, run_mining=True, run_infer=True
    )
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, str(START)],
        env=os.environ | {ENV_FILE_VARIABLE: str(env_file), "PEAKS": str(root)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    seconds = time.perf_counter() - start
    worker, parent = (int((root / role).read_text(encoding="utf-8")) for role in ("worker", "parent"))
    return Run(worker, parent, seconds)
