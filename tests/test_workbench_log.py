"""What the log of an image tells about its task."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench.images import REPOSITORY
from workbench.log import Run, read_run
from workbench.platform import write_candidate_task, write_training_task
from workbench.runner import run_image
from workbench.sample import Sample
from workbench.task import Task

HEAD = "2026-03-01 23:59:58,500 INFO det-x-tmi: infer and mining on GPU 0, 1"
PARAMETERS = ["2026-03-01 23:59:58,501 INFO   conf_thres: 0.1", "2026-03-01 23:59:58,501 INFO   options: "]
NEXT = "2026-03-01 23:59:59,000 INFO loading"
REST = ["2026-03-01 23:59:59,000 INFO   AP50 of a table: 3", "2026-03-02 00:00:08,000 INFO done"]


@pytest.fixture
def task(tmp_path: Path) -> Task:
    sample = Sample(np.zeros((8, 8, 3), np.uint8))
    env_file = write_candidate_task(tmp_path, [sample], [], ["dog"], {}, run_mining=True, run_infer=True)
    return Task.load(env_file)


def run_of(task: Task, lines: list[str]) -> Run:
    task.output["executor_log_file"].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_run(task)


def test_the_log_tells_the_image_its_parameters_and_how_long_it_took(task: Task) -> None:
    run = run_of(
        task,
        ["2026-03-01 23:59:58,400 WARNING told before", HEAD, *PARAMETERS, NEXT, *REST],
    )
    assert run == Run("det-x-tmi on GPU 0, 1", {"conf_thres": "0.1", "options": ""}, 9.5)


def test_the_log_of_every_image_of_the_engine_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    image = REPOSITORY / "tests" / "fake_image.py"
    samples = [Sample(np.full((8, 8, 3), shade, np.uint8)) for shade in (0, 255)]
    env_file = write_training_task(
        tmp_path, samples[:1], samples[1:], ["dog"], {"export_format": "ark:raw", "epochs": 5}
    )
    assert run_image(image, env_file) == 0
    run = read_run(Task.load(env_file))
    assert run.image == "fake-image on the CPU"
    assert run.parameters["behaviour"] == "well"
    assert run.parameters["epochs"] == "5"
    assert run.seconds is not None
    assert 0 < run.seconds < 60


def test_a_value_may_have_several_lines(task: Task) -> None:
    run = run_of(task, [HEAD, *PARAMETERS, "a=1", "b=2", NEXT, *REST])
    assert run.parameters["options"] == "\na=1\nb=2"


def test_of_several_runs_the_last_one_counts_and_nobody_knows_the_time(task: Task) -> None:
    killed = [HEAD, PARAMETERS[0].replace("0.1", "0.5"), NEXT]
    run = run_of(task, [*killed, HEAD, *PARAMETERS, NEXT, *REST])
    assert (run.parameters["conf_thres"], run.seconds) == ("0.1", None)


def test_a_run_that_did_not_end_well_has_no_time(task: Task) -> None:
    assert run_of(task, [HEAD, *PARAMETERS]).seconds is None


@pytest.mark.parametrize("lines", [[], ["epoch 1"], [HEAD.replace("infer and ", ""), *PARAMETERS, *REST]])
def test_the_log_of_another_image_or_task_tells_nothing(task: Task, lines: list[str]) -> None:
    assert run_of(task, lines) == Run()


def test_no_log_tells_nothing(task: Task) -> None:
    assert read_run(replace(task, output=task.output | {"executor_log_file": Path("/nowhere/log")})) == Run()
