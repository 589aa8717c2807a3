"""The worker process: its place among the ranks, and the reason it leaves when it fails."""

import errno
import os
import threading
from pathlib import Path

import pytest
from fake_image import EXECUTOR
from fakes import write_images, write_task

from common.errors import (
    DeviceMismatchError,
    ImageError,
    ModelError,
    NoDeviceError,
    OutOfMemoryError,
    YmirError,
)
from common.run.image import WORKER
from common.run.launch import failure_of
from common.run.main import main
from common.run.rank import Rank, wait_for
from common.run.worker import leave_failure, translate
from common.task.env import Task, read_env, read_task


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return read_task(read_env(write_task(tmp_path, "infer")))


@pytest.fixture(autouse=True)
def _pytest_outlives_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.run.worker.die_with_parent", lambda: None)


@pytest.mark.parametrize(
    ("environment", "rank"),
    [
        ({}, Rank(0, 0, 1)),  # started alone
        ({"RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8"}, Rank(5, 1, 8)),  # by torchrun on several machines
    ],
)
def test_a_rank_knows_its_place(environment: dict[str, str], rank: Rank) -> None:
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        os.environ.pop(name, None)
    os.environ.update(environment)
    assert Rank.current() == rank


class TorchsError(Exception):
    """Stands for torch.OutOfMemoryError, which is known by its name."""


TorchsError.__name__ = "OutOfMemoryError"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (TorchsError("tried to allocate 2 GiB"), OutOfMemoryError, ["batch size", "2 GiB"]),
        (RuntimeError("CUDA error: out of memory"), OutOfMemoryError, ["smaller batch"]),
        (MemoryError(), OutOfMemoryError, ["out of memory"]),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error"), OutOfMemoryError, ["shm_size"]),
        (KeyError("Caught KeyError in DataLoader worker process 0."), YmirError, ["KeyError", "worker process 0"]),
        (RuntimeError("CUDA error: no kernel image is available for execution"), DeviceMismatchError, ["GPU"]),
        (RuntimeError("The NVIDIA driver on your system is too old: driver version is insufficient"),
         DeviceMismatchError, ["driver"]),
        (RuntimeError("No CUDA GPUs are available"), NoDeviceError, ["gpu_id"]),
        (RuntimeError("CUDA error: invalid device ordinal"), NoDeviceError, ["gpu_id"]),
        (OSError(errno.ENOSPC, "No space left on device", "/out/models/last.pt"), YmirError, ["no space", "last.pt"]),
        (KeyError("layer"), YmirError, ["KeyError", "layer"]),
        (ModelError("no weights"), ModelError, ["no weights"]),  # has its code already
    ],
)  # fmt: skip
def test_a_foreign_exception_gets_the_code_that_helps_the_user(
    error: Exception, kind: type[YmirError], words: list[str]
) -> None:
    known = translate(error)
    assert type(known) is kind
    assert all(word in str(known) for word in words)


def test_of_several_failed_ranks_the_first_one_is_the_reason(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    for moment, rank, error in ((30.0, 0, RuntimeError("broken pipe")), (20.0, 2, ModelError("no weights"))):
        monkeypatch.setattr("time.time", lambda moment=moment: moment)
        leave_failure(task, Rank(rank, rank, 3), error)
    reason = failure_of(task, 1)
    assert (type(reason), str(reason), reason.details) == (ModelError, "no weights", "")


def test_the_stack_of_an_unknown_error_reaches_the_parent(task: Task) -> None:
    try:
        raise KeyError("layer")
    except KeyError as error:
        leave_failure(task, Rank(), error)
    reason = failure_of(task, 1)
    assert type(reason) is YmirError
    assert 'raise KeyError("layer")' in reason.details


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (-9, OutOfMemoryError, "SIGKILL"),
        (137, OutOfMemoryError, "SIGKILL"),  # as torchrun passes it on
        (-11, YmirError, "SIGSEGV"),
        (-6, YmirError, "SIGABRT"),
        (3, YmirError, "status 3"),
    ],
)
def test_a_worker_that_left_no_reason_is_judged_by_its_status(
    task: Task, status: int, kind: type[YmirError], word: str
) -> None:
    reason = failure_of(task, status)
    assert type(reason) is kind
    assert word in str(reason)


def test_only_the_first_rank_reports_progress(tmp_path: Path) -> None:
    os.environ["DEFAULT_ENV_FILE_PATH"] = str(write_task(tmp_path, "training"))
    monitor = tmp_path / "out/monitor.txt"
    os.environ.update({"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"})
    assert main(EXECUTOR, [WORKER]) == 0
    assert not monitor.exists()
    os.environ["RANK"] = "0"
    assert main(EXECUTOR, [WORKER]) == 0
    assert float(monitor.read_text(encoding="utf-8").split("\t")[2]) == pytest.approx(0.5, abs=0.01)


def test_a_failed_rank_ends_with_a_status_and_its_reason(tmp_path: Path) -> None:
    env_path = write_task(tmp_path, "training", config={"behaviour": "nan"})
    os.environ |= {"DEFAULT_ENV_FILE_PATH": str(env_path), "RANK": "3"}
    assert main(EXECUTOR, [WORKER]) == 1
    assert [path.name for path in (tmp_path / "out/.ymir/errors").iterdir()] == ["rank-3.json"]


def test_random_mining_loads_no_predictor(tmp_path: Path) -> None:
    config = {"mining_algorithm": "random", "behaviour": "bug"}
    images = [tmp_path / f"{i}.jpg" for i in range(3)]
    os.environ["DEFAULT_ENV_FILE_PATH"] = str(write_task(tmp_path, "mining", images=images, config=config))
    assert main(EXECUTOR, [WORKER]) == 0
    assert len(list((tmp_path / "out/.ymir").glob("*/shards/*.json"))) == 1


def test_too_many_broken_images_are_the_reason(tmp_path: Path) -> None:
    images = write_images(tmp_path / "in/assets", 3)
    for path in images[:2]:
        path.write_bytes(b"broken")
    env_path = write_task(tmp_path, "infer", images=images)
    os.environ["DEFAULT_ENV_FILE_PATH"] = str(env_path)
    assert main(EXECUTOR, [WORKER]) == 1
    reason = failure_of(read_task(read_env(env_path)), 1)
    assert type(reason) is ImageError
    for words in ("2 of 3", "max_bad_images 0.5", str(images[0])):
        assert words in str(reason)


def test_a_rank_waits_for_the_file_of_another(tmp_path: Path) -> None:
    timer = threading.Timer(0.1, (tmp_path / "data.yaml").touch)
    timer.start()
    assert wait_for(tmp_path / "data.yaml").is_file()
    timer.join()
