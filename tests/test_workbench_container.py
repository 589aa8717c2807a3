"""Tasks in containers: the command is that of the platform, and the run is watched like that of a process."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from workbench.__main__ import app
from workbench.container import Tool, container_launch, tag_of
from workbench.platform import write_candidate_task, write_training_task
from workbench.runner import run_launch
from workbench.task import Task

FAKE = Path(__file__).parent / "fake_start.py"


@pytest.fixture
def task(tmp_path):
    return Task.load(write_candidate_task(tmp_path / "task", [], [], ["dog"], {}, run_mining=True, run_infer=True))


def with_config(task, **config):
    return replace(task, config=dict(task.config) | config)


def as_of_the_platform(task):
    """The same task as the platform writes it: for `/in` and `/out`."""
    text = task.env_file.read_text(encoding="utf-8")
    for name, root in zip(("in", "out"), task.roots, strict=True):
        text = text.replace(f"{root}", f"/{name}")
    task.env_file.write_text(text, encoding="utf-8")
    return Task.load(task.env_file)


def test_the_command_is_that_of_the_platform(task):
    platform = as_of_the_platform(with_config(task, gpu_id="3,5"))
    source, target = task.roots
    launch = container_launch(Tool.DOCKER, "some/image:1", with_config(platform, gpu_id="0,1"))
    name = launch.command[-2]
    user = f"{os.getuid()}:{os.getgid()}"
    options = [f"-v{source}:/in:ro", f"-v{target}:/out", "--user", user, "--gpus", '"device=0,1"', "--shm-size=32G"]
    assert list(launch.command) == ["docker", "run", "--rm", *options, "--name", name, "some/image:1"]
    assert name.startswith(str(task.config["task_id"]))
    assert launch.after == [("docker", "rm", "-f", name)]


def test_a_task_of_the_workbench_is_mounted_where_its_paths_lead_and_the_image_is_told(task):
    command = container_launch(Tool.DOCKER, "image", task).command
    source, target = task.roots
    assert command[3:5] == (f"-v{source}:{source}:ro", f"-v{target}:{target}")
    assert f"--env=DEFAULT_ENV_FILE_PATH={task.env_file}" in command
    assert "--gpus" not in command


def test_what_is_a_link_in_the_input_is_mounted_too(tmp_path):
    parameters = {"export_format": "ark:raw", "shm_size": "5G"}
    env_file = write_training_task(tmp_path / "task", [], [], ["dog"], parameters, cache=tmp_path / "cache")
    command = container_launch(Tool.DOCKER, "image", Task.load(env_file)).command
    assert f"-v{tmp_path}/cache:{tmp_path}/cache" in command
    assert "--shm-size=5G" in command


@pytest.mark.parametrize(("user", "kept"), [(0, False), (1000, True)])
def test_podman_keeps_the_user_where_it_is_not_root(task, monkeypatch, user, kept):
    monkeypatch.setattr(os, "getuid", lambda: user)
    command = container_launch(Tool.PODMAN, "image", with_config(task, gpu_id="0,1")).command
    assert command[0] == "podman"
    assert ("--userns=keep-id" in command) == kept
    assert [word for word in command if word.startswith("--device")] == [
        "--device=nvidia.com/gpu=0",
        "--device=nvidia.com/gpu=1",
    ]


def test_buildah_needs_a_container_and_the_command_of_the_image(task):
    launch = container_launch(Tool.BUILDAH, "image", task)
    [made] = launch.before
    name = made[3]
    assert made == ("buildah", "from", "--name", name, "--shm-size=16G", "image")
    assert launch.command[:2] == ("buildah", "run")
    assert launch.command[-4:] == (name, "--", "bash", "/usr/bin/start.sh")
    assert launch.after == [("buildah", "rm", name)]


def test_a_folder_of_this_repository_is_the_tag_that_the_build_gives_it():
    assert tag_of("det-yolov5-tmi").startswith("ymir-executors/det-yolov5-tmi:")
    assert tag_of("my/own:tag") == "my/own:tag"


# running


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """A docker, podman and buildah that run the fake image here, and note what they are asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in Tool:
        script = f"""#!{sys.executable}
import os, sys
open({str(tmp_path / "asked")!r}, "a").write(" ".join([{name.value!r}, *sys.argv[1:]]) + chr(10))
if sys.argv[1] == "from" and "broken" in sys.argv:
    sys.exit("no such image")
if sys.argv[1] == "run":
    os.environ |= dict(word[6:].split("=") for word in sys.argv if word.startswith("--env="))
    os.execv({sys.executable!r}, [{sys.executable!r}, {str(FAKE)!r}])
"""
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path / "asked"


def command(*words):
    result = CliRunner().invoke(app, ["run", *map(str, words)], env={"COLUMNS": "400"})
    return result.exit_code, result.output


@pytest.mark.parametrize(("name", "verbs"), [("docker", "run rm"), ("podman", "run rm"), ("buildah", "from run rm")])
def test_the_command_runs_a_container_and_shows_its_progress(task, tool, name, verbs):
    status, shown = command("image", task.env_file, "--container", name)
    assert status == 0, shown
    assert "mining + infer: 100%" in shown
    assert f"Done: {task.roots[1]}. To check it: python -m workbench check {task.env_file}" in shown
    assert [line.split()[1] for line in tool.read_text(encoding="utf-8").splitlines()] == verbs.split()
    assert task.output["mining_result_file"].is_file()
    log = task.output["executor_log_file"].read_text(encoding="utf-8").splitlines()
    assert [line.split(" INFO ")[1] for line in log][-2:] == ["working", "done"]


def test_a_container_that_cannot_be_made_is_not_run_and_taken_away(task, tool):
    status, shown = command("broken", task.env_file, "--container", "buildah")
    assert (status, "no such image" in shown) == (1, True)
    assert [line.split()[1] for line in tool.read_text(encoding="utf-8").splitlines()] == ["from", "rm"]


def test_an_interrupt_takes_the_container_away(task, tool, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.runner._feed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_launch(container_launch(Tool.DOCKER, "image", task), task, "docker")
    assert tool.read_text(encoding="utf-8").splitlines()[-1].startswith("docker rm -f ")


def test_a_tool_that_is_not_there_is_called_by_its_name(task, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    status, shown = command("image", task.env_file, "--container", "podman")
    assert status == 1
    assert "podman is not installed; --container takes docker, podman, buildah" in shown


def test_the_command_runs_a_process_and_ends_as_the_image_ends(task, tmp_path):
    image = tmp_path / "image"
    image.mkdir()
    (image / "start.py").write_text(FAKE.read_text(encoding="utf-8"), encoding="utf-8")
    status, shown = command(image, task.env_file)
    assert (status, "Done:" in shown) == (0, True)
    (image / "start.py").write_text("import os; print('[reason]', flush=True); os.kill(os.getpid(), 9)")
    status, shown = command(image, task.env_file)
    assert (status, "[reason]" in shown) == (137, True)


def test_a_process_cannot_run_what_says_slash_in(task):
    as_of_the_platform(task)
    status, shown = command("det-yolov5-tmi", task.env_file)
    assert status == 1
    assert "puts the input at /in, but lies elsewhere" in shown


@pytest.mark.parametrize("content", [None, "- a", "a: [", "input: 5", yaml.safe_dump({"input": {"root_dir": "/in"}})])
def test_a_file_that_is_no_task_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "env.yaml").write_text(content, encoding="utf-8")
    status, shown = command("det-yolov5-tmi", tmp_path / "env.yaml")
    assert status == 1
    assert "env.yaml: no task can be read" in shown


def test_paths_of_the_container_are_found_where_the_task_lies(task):
    platform = as_of_the_platform(task)
    assert platform.input == task.input
    assert platform.output == task.output
    assert platform.said == (Path("/in"), Path("/out"))
