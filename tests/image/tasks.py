"""Runs an image as the platform does, on a CPU and on tiny data."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import yaml

from common.contract import ObjectType
from common.datasets.index import read_training_index
from common.datasets.splits import read_labelled
from common.datasets.stored import leave_splits
from common.results.class_metrics import CLASS_FILE, ClassMetrics, read_classes
from common.results.training import RANKED_BY
from common.run.monitor import read_monitor
from common.task.env import Task, read_env, read_task
from workbench.images import REPOSITORY

YOLOV5, MMYOLO, MMDETECTION, MMROTATE = "det-yolov5-tmi", "det-mmyolo-tmi", "det-mmdetection-tmi", "rot-mmrotate-tmi"
SEGMENTATION = "seg-all-in-one-tmi"
NAMES = ("disc", "triangle", "star")

TRAINING = {
    "shm_size": "128G",
    "export_format": "ark:raw",
    "model": "yolov5n",
    "batch_size_per_gpu": 8,
    "num_workers_per_gpu": 0,
    "epochs": 2,
    "img_size": 64,
}
CANDIDATES = {"shm_size": "128G", "batch_size_per_gpu": 4, "num_workers_per_gpu": 2, "img_size": 64, "conf_thres": 0.1}


@dataclass(frozen=True)
class Outcome:
    """What a finished task left."""

    status: int
    log: str
    out: Path

    @property
    def result(self) -> dict:
        return yaml.safe_load((self.out / "models" / "result.yaml").read_text(encoding="utf-8"))

    @property
    def classes(self) -> list[ClassMetrics]:
        return read_classes(self.out / CLASS_FILE)

    @property
    def best(self) -> Path:
        return self.out / "models" / "best" / self.result["model_stages"]["best"]["files"][0]

    @property
    def document(self) -> dict:
        return msgspec.json.decode((self.out / "infer-result.json").read_bytes())

    @property
    def objects(self) -> dict[str, list[dict]]:
        return {name: image["boxes"] for name, image in self.document["detection"].items()}

    @property
    def ranking(self) -> list[tuple[str, float]]:
        lines = (self.out / "result.tsv").read_text(encoding="utf-8").splitlines()
        return [(Path(name).name, float(score)) for name, score in (line.split("\t") for line in lines)]

    @property
    def monitor(self) -> list[str]:
        return (self.out / "monitor.txt").read_text(encoding="utf-8").splitlines()[0].split("\t")


def environment(env_file: Path, **more: str) -> dict[str, str]:
    """No HOME, no network, nothing written beside the code."""
    kept = {key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "OMP_NUM_THREADS"}}
    ours = {"DEFAULT_ENV_FILE_PATH": str(env_file)}
    return kept | ours | {"PYTHONPATH": str(REPOSITORY / "tests" / "guard")} | more


def start(image: str) -> list[str]:
    """The command that the platform runs."""
    return [sys.executable, str(REPOSITORY / image / "start.py")]


def run(env_file: Path, arguments: Sequence[str] = (), image: str = YOLOV5, **more: str) -> Outcome:
    """Run a task to its end."""
    done = subprocess.run(
        [*start(image), *arguments],
        env=environment(env_file, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    print(done.stdout)
    return Outcome(done.returncode, done.stdout, env_file.parent.parent / "out")


def prepared(env_file: Path) -> Task:
    """The task, with the data set that the parent leaves for the ranks: for a training in this process."""
    task = read_task(read_env(env_file), tuple(ObjectType))
    inputs = task.env.input
    indexes = {"train": inputs.training_index_file, "val": inputs.val_index_file}
    labelled = {name: read_labelled(task, read_training_index(path)) for name, path in indexes.items() if path}
    leave_splits(task, labelled, 0, lambda _: None)
    return task


def run_and_kill(env_file: Path, when: Callable[[], bool] | float, image: str = YOLOV5) -> Outcome:
    """Start a task and kill it without warning, once something holds or after some seconds."""
    with subprocess.Popen(
        start(image),
        env=environment(env_file),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        started = time.monotonic()
        while process.poll() is None and time.monotonic() - started < 300:
            if when() if callable(when) else time.monotonic() - started > when:
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        log = process.communicate()[0]
    return Outcome(process.returncode, log, env_file.parent.parent / "out")


def assert_means(outcome: Outcome, names: Sequence[str]) -> None:
    """The table of the classes has a row for each, and its means are the metrics of the best stage."""
    assert [each.name for each in outcome.classes] == list(names)
    best = outcome.result["model_stages"]["best"]
    columns = ([each.first for each in outcome.classes], [each.second for each in outcome.classes])
    for metric, values in zip(RANKED_BY[outcome.result["object_type"]], columns, strict=True):
        known = [value for value in values if value is not None]
        assert best[metric] == pytest.approx(sum(known) / max(len(known), 1), abs=2e-5)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and modification time of every file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def assert_intact(out: Path) -> None:
    """What the platform would read now is valid or absent."""
    monitor = out / "monitor.txt"
    assert not monitor.exists() or read_monitor(monitor) is not None
    result = out / "models" / "result.yaml"
    if result.exists():
        content = yaml.safe_load(result.read_text(encoding="utf-8"))
        assert content["best_stage_name"] in content["model_stages"]
        for name, stage in content["model_stages"].items():
            assert all((out / "models" / name / file).is_file() for file in stage["files"])
