"""The engine inside this process: one task whose model stays loaded, run again and again."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from benchmarks.pictures import images
from common.contract import Verb
from common.loop.job import job_of, read_candidates, shards_of
from common.loop.loop import run_rank
from common.loop.merge import merge
from common.mining.registry import DETECTION
from common.run.launch import rank_environment
from common.run.rank import Rank
from common.task.env import Task, read_env, read_task
from common.yolo.params import YoloMining
from workbench.images import REPOSITORY
from workbench.platform import write_candidate_task

COUNT: Final = 64
BATCH: Final = 16
WORKERS: Final = 2
CLASS_NAMES: Final = tuple(f"class {number}" for number in range(80))
PARAMETERS: Final = {"img_size": 640, "batch_size_per_gpu": BATCH, "num_workers_per_gpu": WORKERS}


@dataclass(frozen=True)
class Engine:
    """A mining and inference task of `COUNT` images.

    Attributes:
        task: as the platform writes it.
        parameters: the checked `PARAMETERS`; everything else is a default.
        candidates: the image files.
    """

    task: Task
    parameters: YoloMining
    candidates: list[str]

    @classmethod
    def prepare(cls, folder: Path) -> Self:
        """Make a model and images, write the task, and take on the environment of a rank."""
        weights = folder / "best.pt"
        subprocess.run([sys.executable, "-m", "benchmarks.detector", str(weights)], cwd=REPOSITORY, check=True)
        env_file = write_candidate_task(
            folder / "task", images(COUNT), [weights], CLASS_NAMES, PARAMETERS, run_mining=True, run_infer=True
        )
        task = read_task(read_env(env_file))
        os.environ.update(rank_environment(task))  # before torch is imported: it reads the number of threads once
        return cls(task, YoloMining.parse(task.config, Verb.MINING), read_candidates(task))

    @cached_property
    def predictor(self) -> Any:
        """The `YoloPredictor` of the image, loaded as a rank loads it."""
        from common.yolo.load import load_predictor  # not above: `prepare` sets the environment for torch first

        return load_predictor(self.task, self.parameters, Rank())

    def seconds(self, *, infer: bool, algorithm: str = "") -> float:
        """Run the loop over all candidates and merge the result, with the model loaded before.

        Args:
            infer: write infer-result.json.
            algorithm: mine with it and write result.tsv; empty = do not mine.
        """
        verbs = frozenset([Verb.INFER] * infer + [Verb.MINING] * bool(algorithm))
        task = replace(self.task, verbs=verbs)
        job = replace(job_of(task, self.parameters.options()), algorithm=DETECTION[algorithm] if algorithm else None)
        predictor = self.predictor if job.needs_model else None
        shutil.rmtree(task.scratch, ignore_errors=True)
        start = time.perf_counter()
        run_rank(self.candidates, job, predictor, shards_of(task, len(self.candidates)), _unwatched)
        merge(task, self.candidates, job, lambda _: None)
        return time.perf_counter() - start

    def detections(self) -> float:
        """Mean number of objects an image in the last infer-result.json."""
        content = msgspec.json.decode(self.task.env.output.infer_result_file.read_bytes())["detection"]
        return sum(len(image["boxes"]) for image in content.values()) / len(content)

    def batches(self) -> Iterator[Any]:
        """All images as the loop hands them to the model: tensors, fitted, batched and on the device."""
        import numpy as np

        from common.images.decode import read_image

        pixels = [self.predictor.prepare(read_image(Path(path))).pixels for path in self.candidates]
        for start in range(0, len(pixels), BATCH):
            yield self.predictor._tensor(np.stack(pixels[start : start + BATCH]))  # what the loop does, not a copy


def _unwatched(_share: float) -> None:
    """No monitor: a rank writes one at most once a second."""
