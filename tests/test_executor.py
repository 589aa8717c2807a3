"""The parent process: every way a task can end, and what the platform and the reader of the log get to know."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_image import EXECUTOR
from fakes import TASK_ID, write_images, write_task

from common.run.checks import check
from common.run.image import Executor
from common.run.launch import command, rank_environment
from common.run.main import main
from common.task.env import read_env, read_task

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _same_signals_afterwards() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def monitor_of(root: Path) -> dict[str, Any]:
    """The first line of monitor.txt."""
    fields = (root / "out/monitor.txt").read_text(encoding="utf-8").split("\n")[0].split("\t")
    task_id, _, percent, state, code, *message = fields
    return {
        "task_id": task_id,
        "percent": float(percent),
        "state": int(state),
        "code": int(code),
        "message": message[0] if message else "",
    }


def listing(root: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in root.rglob("*")}


class Finished:
    """A task that has run in this process, its ranks in another."""

    def __init__(self, env_path: Path, log: pytest.LogCaptureFixture, executor: Executor = EXECUTOR) -> None:
        os.environ |= {"DEFAULT_ENV_FILE_PATH": str(env_path), "PYTHONPATH": str(REPOSITORY)}
        log.set_level("INFO")
        root = env_path.parents[1]
        before = listing(root / "in")
        self.status = main(executor, [])
        assert listing(root / "in") == before, "something was written to /in"
        self.monitor = monitor_of(root)
        self.last_line = log.messages[-1]
        print(f"exit {self.status}: {self.last_line}")


def launch(env_path: Path) -> subprocess.Popen[str]:
    """Start the image as the platform does."""
    return subprocess.Popen(
        [sys.executable, str(EXECUTOR.start_file)],
        env=os.environ | {"DEFAULT_ENV_FILE_PATH": str(env_path), "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def image_in(root: Path) -> list[Path]:
    return write_images(root / "in/assets", 3)


def wait_until(condition: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def alive(process: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return False


# a task that ends well


def test_a_training_ends_well(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    done = Finished(write_task(tmp_path, "training", images=image_in(tmp_path)), caplog)
    assert (done.status, done.last_line) == (0, "done")
    assert done.monitor == {"task_id": TASK_ID, "percent": 1.0, "state": 2, "code": 0, "message": ""}
    assert yaml.safe_load((tmp_path / "out/models/result.yaml").read_bytes())["best_stage_name"] == "best"
    assert not (tmp_path / "out/.ymir").exists()
    assert caplog.messages[-4:] == [  # the metrics by class
        "   AP50  AP50_95  objects  class",
        "  0.250    0.125        4  黑 cat",
        "  0.750    0.500        9  dog",
        "done",
    ]


def test_mining_and_inference_end_well(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = image_in(tmp_path)
    done = Finished(write_task(tmp_path, "mining", "infer", images=images), caplog)
    assert (done.status, done.last_line) == (0, "done")
    assert (done.monitor["percent"], done.monitor["state"], done.monitor["code"]) == (1.0, 2, 0)
    assert set(json.loads((tmp_path / "out/infer-result.json").read_bytes())["detection"]) == {p.name for p in images}
    assert len((tmp_path / "out/result.tsv").read_text(encoding="utf-8").splitlines()) == len(images)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "infer-result.json",
        "models",
        "monitor.txt",
        "result.tsv",
        "tensorboard",
    ]


def test_random_mining_needs_no_model(tmp_path: Path) -> None:
    config = {"mining_algorithm": "random", "model_params_path": []}
    task = check(EXECUTOR, read_env(write_task(tmp_path, "mining", images=image_in(tmp_path), config=config))).task
    assert task.model_files == ()


# a worker that fails


@pytest.mark.parametrize(
    ("behaviour", "code", "status", "words"),
    [
        ("bug", 160004, 70, ["KeyError", "no_such_layer"]),  # any exception
        ("memory", 300103, 71, ["out of memory", "smaller batch", "2.00 GiB"]),  # one with a code of the platform
    ],
)
def test_the_reason_that_a_worker_leaves_is_told(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    behaviour: str,
    code: int,
    status: int,
    words: list[str],
) -> None:
    env_path = write_task(tmp_path, "training", images=image_in(tmp_path), config={"behaviour": behaviour})
    done = Finished(env_path, caplog)
    assert (done.status, done.monitor["code"], done.monitor["state"]) == (status, code, 4)
    assert 0.4 < done.monitor["percent"] < 0.6  # what the worker had reached
    for word in words:
        assert word in done.monitor["message"]
        assert word in done.last_line
    stack = 'raise KeyError("no_such_layer")'  # for the developer: only of what nobody expected
    assert (stack in capsys.readouterr().out) == (behaviour == "bug")
    assert (stack in (tmp_path / "out/monitor.txt").read_text(encoding="utf-8")) == (behaviour == "bug")


def crashing(root: Path, code: str) -> Executor:
    """An image whose ranks do nothing but `code`."""
    (root / "crash.py").write_text(f"import os, signal; {code}", encoding="utf-8")
    return replace(EXECUTOR, start_file=root / "crash.py")


@pytest.mark.parametrize(
    ("code", "platform_code", "status", "words"),
    [
        ("os._exit(3)", 160004, 70, ["status 3", "no reason"]),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 160004, 70, ["SIGSEGV"]),
        ("os.kill(os.getpid(), signal.SIGABRT)", 160004, 70, ["SIGABRT"]),
        ("os.kill(os.getpid(), signal.SIGKILL)", 300103, 71, ["SIGKILL", "memory"]),  # so the kernel says it
    ],
)
def test_a_worker_that_is_gone_without_a_word_is_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, code: str, platform_code: int, status: int, words: list[str]
) -> None:
    done = Finished(write_task(tmp_path, "training", images=image_in(tmp_path)), caplog, crashing(tmp_path, code))
    assert (done.status, done.monitor["code"], done.monitor["state"]) == (status, platform_code, 4)
    for word in words:
        assert word in done.monitor["message"]
        assert word in done.last_line


def test_a_failure_of_an_earlier_run_is_not_told_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    env_path = write_task(tmp_path, "training", images=image_in(tmp_path))
    errors = tmp_path / "out/.ymir/errors"
    errors.mkdir(parents=True)
    old = {"name": "NanError", "message": "old", "timestamp": 1, "details": ""}
    (errors / "rank-0.json").write_text(json.dumps(old), encoding="utf-8")
    assert "status 3" in Finished(env_path, caplog, crashing(tmp_path, "os._exit(3)")).last_line


# mistakes that are found before anything is launched


def _no_image(root: Path) -> None:
    (root / "in/assets/001.png").unlink()


def _no_annotation(root: Path) -> None:
    (root / "in/annotations/001.txt").unlink()


def _no_model(root: Path) -> None:
    (root / "in/models/best/best.pt").unlink()


def _no_weights(root: Path) -> None:
    path = root / "in/models/best/best.pt"
    path.rename(path.with_suffix(".onnx"))


def _empty_candidates(root: Path) -> None:
    (root / "in/candidate-index.tsv").write_text("", encoding="utf-8")


def _empty_validation(root: Path) -> None:
    (root / "in/val-index.tsv").write_text("", encoding="utf-8")


def _no_index(root: Path) -> None:
    (root / "in/candidate-index.tsv").unlink()


def _no_config(root: Path) -> None:
    (root / "in/config.yaml").unlink()


def _bad_yaml(root: Path) -> None:
    (root / "in/config.yaml").write_text("epochs: [1,", encoding="utf-8")


def _nothing(root: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("verbs", "config", "breakage", "code", "words"),
    [
        (["infer"], {"object_type": 3}, _nothing, 300005, ["object_type", "3", "fake-image", "2 (detection)"]),
        (["infer"], {"object_type": 99}, _nothing, 300005, ["object_type", "99"]),
        (["infer"], {}, _no_config, 300001, ["config.yaml", "No such file"]),
        (["infer"], {}, _bad_yaml, 300001, ["config.yaml", "not valid YAML"]),
        (["training"], {"epoch": 7}, _nothing, 300001, ["epoch", "7", "did you mean epochs?"]),
        (["training"], {"epochs": 0}, _nothing, 300001, ["epochs", "0", ">= 1"]),
        (["training"], {"gpu_id": "cuda"}, _nothing, 300001, ["gpu_id", "'cuda'"]),
        (["training"], {"export_format": "none:raw"}, _nothing, 300001, ["export_format", "none:raw", "ark:raw"]),
        (["training", "infer"], {}, _nothing, 300001, ["run_training"]),
        (["training"], {}, _empty_validation, 300002, ["val-index.tsv", "no image"]),
        (["training"], {}, _no_image, 300002, ["train-index.tsv", "assets/001.png", "do not exist"]),
        (["training"], {}, _no_annotation, 300002, ["annotations/001.txt", "do not exist"]),
        (["training"], {}, _no_model, 300004, ["pretrained_model_params", "best.pt"]),
        (["infer"], {}, _empty_candidates, 300002, ["candidate-index.tsv", "no image"]),
        (["infer"], {}, _no_index, 300002, ["candidate-index.tsv", "missing"]),
        (["mining"], {}, _no_image, 300002, ["candidate-index.tsv", "assets/001.png"]),
        (["infer"], {}, _no_model, 300004, ["model_params_path", "best.pt"]),
        (["infer"], {}, _no_weights, 300004, ["best.onnx", ".pt or .pth"]),
        (["infer"], {"model_params_path": None}, _nothing, 300004, ["model_params_path", "missing or empty"]),
        (["mining"], {"model_params_path": None}, _nothing, 300004, ["model_params_path"]),
    ],
)
def test_a_mistake_is_told_at_once(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    verbs: list[str],
    config: dict[str, Any],
    breakage: Callable[[Path], None],
    code: int,
    words: list[str],
) -> None:
    env_path = write_task(tmp_path, *verbs, images=image_in(tmp_path), config=config)
    breakage(tmp_path)
    done = Finished(env_path, caplog)
    assert 0 < done.status < 128
    assert done.monitor == {"task_id": TASK_ID, "percent": 0.0, "state": 4, "code": code} | {
        "message": done.monitor["message"]
    }
    for word in words:
        assert word in done.monitor["message"]
        assert word in done.last_line
    assert not any(line.startswith("fake-image: ") for line in caplog.messages)  # the ranks' first line


def test_mistakes_of_the_task_and_its_parameters_are_told_together(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = {"class_names": [], "gpu_id": "cuda", "export_format": "ark", "epoch": 3, "behaviour": "odd"}
    env_path = write_task(tmp_path, "training", images=image_in(tmp_path), config=config)
    message = Finished(env_path, caplog).monitor["message"]
    assert all(f"{key}: " in message for key in config)


def test_mistakes_of_parameters_data_and_model_are_told_together(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = {"batch_size_per_gpu": 0, "max_bad_image": 0.1}
    env_path = write_task(tmp_path, "infer", images=image_in(tmp_path), config=config)
    _no_image(tmp_path)
    _no_model(tmp_path)
    message = Finished(env_path, caplog).monitor["message"]
    assert message.startswith("3 problems")
    for words in ("batch_size_per_gpu: 0", "max_bad_image: no such key", "assets/001.png", "model_params_path"):
        assert words in message


def test_mistakes_of_parameters_and_annotations_are_told_together_and_before_a_rank_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    env_path = write_task(tmp_path, "training", images=image_in(tmp_path), config={"epochs": -3})
    (tmp_path / "in/annotations/001.txt").write_text("0, 1, 2, 3\n", encoding="utf-8")
    done = Finished(env_path, caplog)
    assert done.monitor["message"].startswith("2 problems: (1) epochs: -3")
    assert "annotations/001.txt:1: " in done.monitor["message"]
    assert not any("fake-image" in message for message in caplog.messages)


def test_images_that_cannot_be_decoded_are_told_before_a_rank_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    images = image_in(tmp_path)
    for path in images[:2]:
        path.write_bytes(b"no image")
    done = Finished(write_task(tmp_path, "training", images=images, config={"behaviour": "bug"}), caplog)
    assert done.monitor["code"] == 300003
    assert str(images[0]) in done.monitor["message"]


@pytest.mark.parametrize("content", [None, "task_id: [", "task_id: t1\n"])
def test_without_env_yaml_the_failure_goes_to_the_usual_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.setattr("common.run.parent.DEFAULT_MONITOR_FILE", str(tmp_path / "out/monitor.txt"))
    (tmp_path / "out").mkdir()
    env_path = tmp_path / "in/env.yaml"
    env_path.parent.mkdir()
    if content is not None:
        env_path.write_text(content, encoding="utf-8")
    done = Finished(env_path, caplog)
    assert done.status == 64
    assert (done.monitor["code"], done.monitor["state"]) == (300001, 4)
    assert str(env_path) in done.monitor["message"]
    assert str(env_path) in done.last_line


def test_where_the_monitor_cannot_be_written_the_log_still_tells_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.environ["DEFAULT_ENV_FILE_PATH"] = str(write_task(tmp_path, "infer"))
    (tmp_path / "out/monitor.txt").mkdir()
    assert main(EXECUTOR, []) == 70
    assert "monitor.txt cannot be written" in caplog.text
    assert "IsADirectoryError" in caplog.messages[-1]


def test_a_mistake_is_the_last_line_and_the_exit_status_of_the_process(tmp_path: Path) -> None:
    process = launch(write_task(tmp_path, "training", images=image_in(tmp_path), config={"epoch": 8}))
    lines = process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == 64
    assert "300001 ConfigError: epoch: no such key (value 8); did you mean epochs?" in lines[-1]


# stopped and killed


def test_a_stop_on_request_ends_the_ranks_too(tmp_path: Path) -> None:
    process = launch(write_task(tmp_path, "training", images=image_in(tmp_path), config={"behaviour": "wait"}))
    waiting = tmp_path / "out/waiting"
    wait_until(lambda: waiting.is_file() and waiting.read_text(encoding="utf-8"))
    process.send_signal(signal.SIGTERM)
    lines = process.communicate(timeout=30)[0].splitlines()  # the rank itself would end a minute later
    assert process.returncode == 143
    assert "stopped on request" in lines[-1]
    assert not alive(int(waiting.read_text(encoding="utf-8")))
    monitor = monitor_of(tmp_path)
    assert (monitor["state"], monitor["code"]) == (4, 160004)
    assert "stopped on request" in monitor["message"]


def test_when_the_parent_is_killed_its_ranks_die_with_it(tmp_path: Path) -> None:
    process = launch(write_task(tmp_path, "training", images=image_in(tmp_path), config={"behaviour": "wait"}))
    waiting = tmp_path / "out/waiting"
    wait_until(lambda: waiting.is_file() and waiting.read_text(encoding="utf-8"))
    rank = int(waiting.read_text(encoding="utf-8"))
    assert alive(rank)
    process.kill()
    process.communicate(timeout=30)
    wait_until(lambda: not alive(rank))
    monitor = monitor_of(tmp_path)  # what was written before the kill is whole
    assert (monitor["state"], monitor["code"]) == (2, 0)


# how the ranks are launched


def task_on(root: Path, gpu_id: str) -> Any:
    return read_task(read_env(write_task(root, "infer", config={"gpu_id": gpu_id})))


@pytest.mark.parametrize(
    ("gpu_id", "environment", "arguments"),
    [
        ("", {}, []),  # the CPU
        ("0", {}, []),
        ("3", {}, []),
        ("0,1", {}, ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]),
        ("0,1,2", {}, ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=3"]),
        # several machines: torchrun reads its own variables, which arguments would override
        ("0,1", {"PET_NNODES": "2", "PET_NPROC_PER_NODE": "2"}, ["-m", "torch.distributed.run"]),
        ("0", {"PET_NNODES": "2"}, ["-m", "torch.distributed.run"]),
    ],
)
def test_several_gpus_or_machines_are_run_by_torchrun(
    tmp_path: Path, gpu_id: str, environment: dict[str, str], arguments: list[str]
) -> None:
    words = command(Path("/app/start.py"), task_on(tmp_path, gpu_id), environment)
    assert words == [sys.executable, *arguments, "/app/start.py", "worker"]


@pytest.mark.parametrize(("gpu_id", "share"), [("", 1), ("0", 1), ("0,1", 2)])
def test_the_ranks_share_the_cores_and_keep_their_caches_in_out(tmp_path: Path, gpu_id: str, share: int) -> None:
    os.environ.pop("OMP_NUM_THREADS", None)
    environment = rank_environment(task_on(tmp_path, gpu_id))
    assert int(environment["OMP_NUM_THREADS"]) == max(len(os.sched_getaffinity(0)) // share, 1)
    assert environment["PYTHONUNBUFFERED"] == "1"
    for name in ("TORCH_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR", "YOLO_CONFIG_DIR"):
        assert environment[name].startswith(str(tmp_path / "out/.ymir/"))


def test_threads_that_were_set_from_outside_are_left_alone(tmp_path: Path) -> None:
    os.environ["OMP_NUM_THREADS"] = "7"
    assert rank_environment(task_on(tmp_path, ""))["OMP_NUM_THREADS"] == "7"


@pytest.mark.parametrize("left", ["stale", "resumable"])
def test_only_what_this_very_task_left_survives_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, left: str
) -> None:
    env_path = write_task(tmp_path, "infer", images=image_in(tmp_path))
    scratch = read_task(read_env(env_path)).scratch if left == "resumable" else tmp_path / "out/.ymir/another"
    (scratch / "shards").mkdir(parents=True)
    (scratch / "shards/000000.json").write_text("[{},{},{}]", encoding="utf-8")
    (scratch / "shards/000001.claim").touch()
    Finished(env_path, caplog, crashing(tmp_path, "os._exit(3)"))
    assert (scratch / "shards/000000.json").exists() == (left == "resumable")
    assert not (scratch / "shards/000001.claim").exists()
