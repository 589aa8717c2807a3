"""The runner: the image as a process, its log where the platform puts it, its progress where people see it."""

import io
import os
import time
from pathlib import Path

import pytest
from rich.console import Console

from workbench.platform import write_candidate_task
from workbench.runner import read_progress, run_image
from workbench.task import Task

FAKE = Path(__file__).parent / "fake_start.py"


@pytest.fixture
def task(tmp_path):
    return Task.load(write_candidate_task(tmp_path, [], [], ["dog"], {}, run_mining=True, run_infer=True))


def start_file(tmp_path, code):
    file = tmp_path / "start.py"
    file.write_text(code, encoding="utf-8")
    return file


def lines():
    """A console that is no terminal."""
    return Console(file=io.StringIO(), force_terminal=False, width=200)


def test_the_image_is_told_its_env_file_and_its_output_goes_to_the_log(task):
    task.output["executor_log_file"].write_text("before\n", encoding="utf-8")
    console = lines()
    assert run_image(FAKE, task.env_file, console) == 0
    first, *_, last = task.output["executor_log_file"].read_text(encoding="utf-8").splitlines()
    assert (first, last.split(" INFO ")[1]) == ("before", "done")
    assert console.file.getvalue().splitlines()[-1] == "mining + infer: 100%"


def test_a_terminal_gets_a_bar(task):
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    assert run_image(FAKE, task.env_file, console) == 0
    assert "━" in console.file.getvalue()


def test_a_failure_shows_its_status_and_the_last_lines_of_the_log(task, tmp_path):
    code = "import sys\nfor n in range(9): print('line', n)\nsys.exit('[reason]')"
    console = lines()
    assert run_image(start_file(tmp_path, code), task.env_file, console) == 1
    shown = console.file.getvalue()
    assert "exit status 1" in shown
    assert shown.splitlines()[-5:] == ["line 5", "line 6", "line 7", "line 8", "[reason]"]


def test_an_interrupt_leaves_no_process_behind(task, tmp_path):
    class Interrupted(io.StringIO):
        def write(self, text):
            raise KeyboardInterrupt

    pid_file = tmp_path / "pid"
    code = f"""
import os, pathlib, time
pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))
pathlib.Path({str(task.output["monitor_file"])!r}).write_text("t\\t1\\t0.5\\t2\\n")
time.sleep(60)
"""
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_image(start_file(tmp_path, code), task.env_file, Console(file=Interrupted()))
    assert time.monotonic() - started < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text(encoding="utf-8")), 0)


@pytest.mark.parametrize(
    ("text", "progress"),
    [
        ("t\t1\t0.25\t2\t0\n", 0.25),
        ("t\t1\t7\t2\n", 1.0),  # more than all of it
        ("", None),  # caught while it was written
        ("t 1 0.5 2\n", None),  # no tabs
        (None, None),  # not yet there
    ],
)
def test_progress_is_read_from_the_monitor_file(tmp_path, text, progress):
    file = tmp_path / "monitor.txt"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    assert read_progress(file) == progress
