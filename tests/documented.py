"""How each command of the documentation is run by the tests: for real, or with stand-ins for what takes long.

`WAYS` has a pattern for every command, and what is done with it. The real builds of images are those of
`tests/containers`, the real trainings those of `tests/image`.
"""

import importlib.util
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from following import said
from typer.testing import CliRunner

from common.weights.bake import main as bake
from common.weights.zoo import Address, read_zoo
from workbench import __main__ as workbench
from workbench.form import filled_form
from workbench.images import REPOSITORY, image_folders
from workbench.platform import write_candidate_task
from workbench.shapes import CLASS_NAMES, render

PROGRAMS = Path(sys.executable).parent
IMAGES = [folder.name for folder in image_folders()]
RECIPE = (REPOSITORY / "dockerfiles" / "executor.dockerfile").read_text(encoding="utf-8")
ARGUMENTS = set(re.findall(r"^ARG (\w+)", RECIPE, re.MULTILINE))
STAGES = set(re.findall(r"^FROM \S+ AS (\S+)$", RECIPE, re.MULTILINE))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = ("tests", "requirements", "dockerfiles", "benchmarks", ".ci")
"""Words of a command that begin so are files of the repository."""

Way = Callable[[str, Path], None]
"""Runs a command; gets a folder for whatever is written."""


def by_make(command: str, _folder: Path) -> None:
    """Asks make what it would do, and looks at each line of it."""
    words = shlex.split(command.replace("<tool>", "docker"))
    lines = dry_run(*words[1:])
    assert lines
    for line in lines:
        check_line(line)


def by_make_with_tool(command: str, folder: Path) -> None:
    """Runs it with a container tool that notes what it is asked, and looks at that."""
    chosen = re.search(r"CONTAINER_TOOL=(\w+)", command)
    calls = noted(command, folder)
    assert [call[0] for call in calls] == [chosen[1] if chosen else "docker"] * len(IMAGES)
    assert [argument_of(call, "IMAGE") for call in calls] == IMAGES
    for call in calls:
        check_build(call)
    if command.startswith("MMCV="):
        assert {argument_of(call, "MMCV") for call in calls} == {"cpu"}


def by_build_script(command: str, folder: Path) -> None:
    """The same for the script that make calls, with one image."""
    [call] = noted(command, folder)
    check_build(call)
    patterns = argument_of(call, "WEIGHTS")
    if patterns is not None:
        models = read_zoo(REPOSITORY / argument_of(call, "IMAGE")).addresses
        assert all(any(fnmatchcase(model, each) for model in models) for each in patterns.split())


def by_container_tool(command: str, folder: Path) -> None:
    """A tool that is called by its own name."""
    [call] = noted(command.replace(" ...", " -f dockerfiles/executor.dockerfile ."), folder)
    match call[1:]:
        case ["build", *_]:
            check_build(call)
        case ["buildx", "bake"]:
            assert (REPOSITORY / "docker-bake.hcl").is_file()  # what is in it: see test_recipe
        case ["run", *options, image, "cat", file]:
            assert set(options) <= {"--rm"}
            assert image in [*IMAGES, "IMAGE"]
            check_file_of_image(Path(file))
        case _:
            raise AssertionError(f"{command}: nobody knows how to look at this")


def by_lock(command: str, folder: Path) -> None:
    """Compiles nothing: notes what uv is asked for."""
    uv = stand_in(folder / "bin" / "uv")
    shell(f"{command} UV={shlex.quote(str(uv))}", folder)
    asked = [dict(pairwise(call)) for call in calls_of(folder) if "compile" in call]
    written = {Path(call["-o"]) for call in asked}
    assert written == {path.relative_to(REPOSITORY) for path in REPOSITORY.glob("requirements/*.lock")}
    assert {call["--extra"] for call in asked if "--extra" in call} <= set(PROJECT["project"]["optional-dependencies"])
    assert {call["--group"] for call in asked if "--group" in call} <= set(PROJECT["dependency-groups"])


def by_ci(command: str, _folder: Path) -> None:
    """CI runs it: it is a line of `make check`."""
    assert command in dry_run("check")
    assert "make check" in ci_lines()
    check_line(command)


def really(command: str, folder: Path) -> None:
    """Runs it as it is."""
    shell(command, folder)


def one_test(command: str, _folder: Path) -> None:
    """Runs nothing: pytest runs this test. The file is there, and its tests have words in their names."""
    check_line(command.replace("<words>", "words"))
    [file] = re.findall(r"tests/\w+\.py", command)
    assert "def test_" in (REPOSITORY / file).read_text(encoding="utf-8")


def by_marker(command: str, _folder: Path) -> None:
    """The lane that a marker chooses takes minutes. CI runs it, by its folder."""
    check_line(command)
    assert any("pytest tests/image" in line for line in dry_run("test"))
    assert "make test" in ci_lines()


def image_as_process(command: str, folder: Path) -> None:
    """Runs the image on a task of random mining, which needs no torch."""
    form = filled_form(REPOSITORY / "det-yolov5-tmi", "mining", {"mining_algorithm": "random"})
    options = {"run_mining": True, "run_infer": False}
    env_file = write_candidate_task(folder / "task", render(2, seed=1), [], CLASS_NAMES, form, **options)
    shell(re.sub(r"(?<==)\S*env\.yaml", str(env_file), command), folder)
    assert len((folder / "task/out/result.tsv").read_text(encoding="utf-8").splitlines()) == 2


def by_bake(command: str, folder: Path) -> None:
    """Fetches weights, from a table that is copied and with nothing fetched."""
    name, pattern = shlex.split(command)[3:]
    (folder / name).mkdir()
    (folder / name / "zoo.py").write_bytes((REPOSITORY / name / "zoo.py").read_bytes())
    fetched = []

    def fetch(address: Address, target: Path) -> Path:
        fetched.append(address)
        (target / address.file_name).write_bytes(b"weights")
        return target / address.file_name

    with patch("common.weights.bake.fetch", fetch):
        assert bake([str(folder / name), pattern]) == 0
    assert fetched


def by_mkdocs(command: str, _folder: Path) -> None:
    """The server is not started, but asked for."""
    shell(f"{command} --help", REPOSITORY)


def exported(command: str, _folder: Path) -> None:
    """Variables of the environment: those that CI sets too."""
    script = "\n".join(ci_lines())
    for word in shlex.split(command)[1:]:
        name, _, value = word.partition("=")
        assert f"{name}=${{{name}:-{value}}}" in script


def help_of_workbench(_command: str, _folder: Path) -> None:
    """Without a word it tells its words."""
    shown = CliRunner().invoke(workbench.app, []).output
    assert all(word in shown for word in ("import", "run", "check", "loop"))


PYTHON = r"\.venv/bin/python"

WAYS: Mapping[str, Way] = {
    r"make (setup|demo(-\w+)?|test(-fast|-exhaustive)?|(seeded-)?faults|check|fix|bench(-\w+)?|docs|clean)": by_make,
    r"make weights-sums": by_make,
    r"make images-test( CONTAINER_TOOL=\S+)?": by_make,
    r"(MMCV=cpu )?make images( CONTAINER_TOOL=\w+)?": by_make_with_tool,
    r"make lock": by_lock,
    r"(WEIGHTS='.*' )?dockerfiles/build \w+ \S+": by_build_script,
    r"(docker|podman|buildah) .*": by_container_tool,
    r"export .*": exported,
    rf"{PYTHON} -m (ruff|mypy|workbench render) ?.*": by_ci,
    r"\.venv/bin/(hadolint|shellcheck) \S+": really,
    rf"{PYTHON} -m pytest tests/test_\w+\.py -k <words>": one_test,
    rf"{PYTHON} -m pytest -m image": by_marker,
    rf"DEFAULT_ENV_FILE_PATH=\S+ {PYTHON} det-yolov5-tmi/start.py": image_as_process,
    rf"{PYTHON} -m common.weights.bake .*": by_bake,
    rf"{PYTHON} -m mkdocs serve": by_mkdocs,
    r"python -m workbench": help_of_workbench,
}


# running


def shell(command: str, folder: Path) -> str:
    """Runs a command in the root of the repository, with this Python. Programs of `folder/bin` come first."""
    text = re.sub(r"\.venv/bin/(\w+)", lambda match: shlex.quote(str(PROGRAMS / match[1])), command)
    search = f"{folder / 'bin'}:{os.environ['PATH']}"
    return said(["bash", "-euc", text], REPOSITORY, {"PATH": search, "NO_MKDOCS_2_WARNING": "1"})


def dry_run(*words: str) -> list[str]:
    """The lines that make would run for a target, but for what installs the environment."""
    text = shell(shlex.join(["make", "-n", "-o", ".venv/.dev", "-o", ".venv/.demo", *words]), REPOSITORY)
    lines = text.splitlines()
    if words[0] == "setup":
        lines = shell("make -n -W requirements/dev.lock setup", REPOSITORY).splitlines()
    return [line for line in lines if not line.startswith(("make", "echo"))]


def ci_lines() -> list[str]:
    """The lines of what CI runs."""
    return [line.strip() for line in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").splitlines()]


def stand_in(path: Path) -> Path:
    """A program that notes its words and does nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' \"${{0##*/}}\" \"$@\" '' >> {path.parent.parent}/calls\n")
    path.chmod(0o755)
    return path


def calls_of(folder: Path) -> list[list[str]]:
    """What the stand-ins were asked, word by word."""
    return [call.split("\n") for call in (folder / "calls").read_text(encoding="utf-8").rstrip("\n").split("\n\n")]


def noted(command: str, folder: Path) -> list[list[str]]:
    """Runs a command with stand-ins for the container tools."""
    for tool in ("docker", "podman", "buildah"):
        stand_in(folder / "bin" / tool)
    shell(command, folder)
    return calls_of(folder)


# looking


def argument_of(call: Sequence[str], name: str) -> str | None:
    """The value of a `--build-arg`."""
    values = [word.partition("=")[2] for word in call if word.startswith(f"{name}=")]
    return values[0] if values else None


def check_build(call: Sequence[str]) -> None:
    """The files, arguments and stages of a build are there."""
    values = dict(pairwise(call))
    file = values.get("-f") or values["--file"]
    assert REPOSITORY / file == REPOSITORY / "dockerfiles" / "executor.dockerfile"
    given = [word for before, word in pairwise(call) if before == "--build-arg"]
    assert {word.partition("=")[0] for word in given} <= ARGUMENTS
    assert argument_of(given, "IMAGE") in [*IMAGES, None]
    assert values.get("--target", "mmcv") in STAGES
    assert call[-1] == "."


def check_file_of_image(file: Path) -> None:
    """The recipe puts it into the last stage."""
    last = RECIPE.rpartition("\nFROM ")[2]
    copied = [line.split()[-2:] for line in last.splitlines() if line.startswith("COPY ")]
    assert any(Path(target) in {file, *file.parents} for _, target in copied)
    if file.is_relative_to("/img-man"):
        assert (REPOSITORY / "det-yolov5-tmi" / file.relative_to("/")).is_file()


def check_line(line: str) -> None:
    """A line of a make target: the program, module, markers and files that it names are there."""
    words = shlex.split(line)
    while re.match(r"[A-Z0-9_]+=", words[0]):
        words.pop(0)
    program, *rest = words
    match program, *rest:
        case ".venv/bin/python", "-m", "workbench", *arguments:
            check_workbench(arguments)
        case ".venv/bin/python", "-m", "pytest", *arguments:
            check_pytest(arguments)
        case ".venv/bin/python", "-m", module, *_:
            assert importlib.util.find_spec(module), module
        case "rm", "-rf", *targets:
            ignored = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").replace("/", "").split()
            assert set(targets) <= set(ignored)
        case (("touch" | "dockerfiles/build" | "!"), *_):
            pass
        case _:
            assert program.rpartition("/")[2] in {"uv", "pip", "python3"} or (PROGRAMS / Path(program).name).is_file()
    for word in rest:
        path = word.rpartition("=")[2]
        assert path.partition("/")[0] not in FOLDERS or (REPOSITORY / path).exists(), path


def check_pytest(arguments: Sequence[str]) -> None:
    """Its markers are known."""
    chosen = dict(pairwise(arguments)).get("-m", "")
    known = {text.partition(":")[0] for text in PROJECT["tool"]["pytest"]["ini_options"]["markers"]}
    assert set(re.findall(r"\w+", chosen)) - {"not", "and", "or"} <= known


def check_workbench(arguments: Sequence[str]) -> None:
    """The command line is understood; what it would do is left out."""
    asked = []
    render = patch.multiple("workbench.render", stale=lambda: [], write=lambda: [])
    with render, patch.object(workbench, "run_demo", lambda *given: asked.append(given)):
        result = CliRunner().invoke(workbench.app, list(arguments))
    assert result.exit_code == 0, result.output
    assert bool(asked) == (arguments[0] == "demo")
