"""Images that are built and run: every test starts fresh containers, as the platform does.

An image takes minutes to build and a minute or two to run. Inference and mining use the model of the training before.
"""

import json
from pathlib import Path

import pytest
import yaml
from smoke import SMOKES, Smoke, mounts
from tool import CHROOT, TOOL, Image, build

from common.contract import TEMPLATE_FOLDERS, ObjectType, Verb
from workbench.check import check_out
from workbench.images import REPOSITORY, image_folders


@pytest.fixture(scope="module", params=[folder.name for folder in image_folders()])
def image(request: pytest.FixtureRequest) -> Image:
    return build(TOOL, request.param)


@pytest.fixture(scope="module")
def trained(image: Image, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Smoke, Path]]:
    """A training of one epoch for each object type, with its env.yaml."""
    tasks = []
    for smoke in (smoke for smoke in SMOKES if smoke.image == image.name):
        env_file = smoke.write_training(tmp_path_factory.mktemp("training") / "task")
        perform(image, env_file)
        tasks.append((smoke, env_file))
    return tasks


def perform(image: Image, env_file: Path) -> None:
    """Run a task to its end."""
    done = image.run(mounts=mounts(env_file))
    print(done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    assert done.returncode == 0


def test_each_file_of_img_man_is_printed_and_nothing_else(image: Image) -> None:
    folder = REPOSITORY / image.name / "img-man"
    for file in (path for path in folder.rglob("*") if path.is_file()):
        done = image.run("cat", f"/img-man/{file.relative_to(folder)}")
        assert done.returncode == 0
        assert done.stdout == file.read_bytes()


def test_the_platform_can_register_it(image: Image) -> None:
    """A list of object types moves the templates into a folder each; the platform sends them on as JSON."""
    types = shown(image, "manifest.yaml")["object_type"]
    folders = [f"{TEMPLATE_FOLDERS[ObjectType(number)]}/" for number in types] if isinstance(types, list) else [""]
    for folder in folders:
        for verb in Verb:
            assert json.dumps(shown(image, f"{folder}{verb}-template.yaml"))


def shown(image: Image, name: str) -> dict:
    """What the platform reads of a file of /img-man."""
    content = yaml.safe_load(image.run("cat", f"/img-man/{name}").stdout)
    assert isinstance(content, dict)
    return content


def test_training_leaves_what_the_platform_takes(trained: list[tuple[Smoke, Path]]) -> None:
    assert trained, "no smoke task is known for this image"
    for smoke, env_file in trained:
        assert check_out(env_file, rotated=smoke.rotated) == []


@pytest.mark.parametrize("verb", [Verb.INFER, Verb.MINING])
def test_candidates_get_what_the_platform_takes(
    image: Image, trained: list[tuple[Smoke, Path]], verb: Verb, tmp_path: Path
) -> None:
    for smoke, training in trained:
        env_file = smoke.write_candidates(tmp_path / smoke.object_type.name, training, verb)
        perform(image, env_file)
        assert check_out(env_file, rotated=smoke.rotated) == []


def test_neither_the_code_nor_the_environment_can_be_written(image: Image) -> None:
    for folder in ("/app", "/app/common", "/img-man", "/opt/venv"):
        assert image.run("touch", f"{folder}/x").returncode != 0


def test_signals_reach_the_program(image: Image) -> None:
    """The parent of the command is the init; docker stop signals the init."""
    script = "trap 'exit 3' TERM; kill -TERM $PPID; sleep 5 & wait"
    assert image.run("bash", "-c", script).returncode == 3


@pytest.mark.skipif(TOOL == "buildah" and CHROOT, reason="isolation chroot has no process 1 of its own")
def test_what_a_program_leaves_behind_is_reaped(image: Image) -> None:
    script = "(sleep 0.2 &); sleep 1; cat /proc/[0-9]*/stat | grep -c ' Z ' || true"
    assert image.run("bash", "-c", script).stdout == b"0\n"


def test_nothing_is_inside_that_only_a_build_needs(image: Image) -> None:
    for tool in ("gcc", "g++", "nvcc", "ninja", "uv", "make"):
        assert image.run("bash", "-c", f"command -v {tool}").returncode != 0, tool
    places = "/tmp /root/.cache /app/tests /app/workbench /app/requirements"
    left = image.run("bash", "-c", f"ls -A {places} 2>/dev/null | grep -v : | grep .", user="0:0")
    assert left.stdout == b""


def test_the_list_of_contents_names_what_the_lock_names(image: Image) -> None:
    document = json.loads(image.run("cat", "/opt/sbom.cdx.json").stdout)
    found = {part["purl"] for part in document["components"] if "purl" in part}
    lock = (REPOSITORY / "requirements" / f"{image.name}.lock").read_text(encoding="utf-8")
    plain = [line.split(" ")[0] for line in lock.splitlines() if "==" in line and " ; " not in line]
    assert {f"pkg:pypi/{name}@{version}" for name, version in (line.split("==") for line in plain)} <= found
    assert any(purl.startswith("pkg:deb/debian/libc6@") for purl in found)
