"""The recipe of the images: the lists of them agree, and so do the versions that are compiled and installed."""

import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

from workbench.images import REPOSITORY, image_folders

NAMES = [folder.name for folder in image_folders()]
RECIPE = (REPOSITORY / "dockerfiles" / "executor.dockerfile").read_text(encoding="utf-8")
STAGE = """
import sys
sys.path.insert(0, sys.argv[1])
from common.weights.bake import main
print(main([f"{sys.argv[1]}/{sys.argv[2]}"]))
"""
BAKE = (REPOSITORY / "docker-bake.hcl").read_text(encoding="utf-8")


def versions(lock: str) -> dict[str, str]:
    """The packages of a lock file that do not depend on the machine."""
    text = (REPOSITORY / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", text, re.MULTILINE))


def test_the_bake_file_builds_every_image():
    (listed,) = re.findall(r"image = \[(.*)\]", BAKE)
    assert json.loads(f"[{listed}]") == NAMES


def test_the_bake_file_has_the_version_of_the_project():
    (version,) = re.findall(r'^version = "(.*)"$', (REPOSITORY / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert f'variable "VERSION" {{ default = "{version}" }}' in BAKE


def test_every_argument_of_the_bake_file_is_one_of_the_recipe():
    named = re.findall(r"^    ([A-Z]+) += ", BAKE, re.MULTILINE)
    assert set(named) <= set(re.findall(r"^ARG ([A-Z]+)", RECIPE, re.MULTILINE))


def test_mmcv_is_compiled_for_the_images_that_have_it_and_for_no_other():
    stages = {name: stage for stage, name in re.findall(r"^FROM (\S+) AS compiled-(\S+)$", RECIPE, re.MULTILINE)}
    assert list(stages) == NAMES
    for name, stage in stages.items():
        assert (stage == "mmcv") == ("onedl-mmcv" in versions(name)), name


def test_an_image_has_what_all_share_and_what_was_compiled_in_the_same_versions():
    shared, compiler, mmcv = versions("torch"), versions("compiler"), versions("mmcv")
    assert compiler["torch"] == shared["torch"]
    for name in NAMES:
        image = versions(name)
        assert shared.items() <= image.items(), name
        assert "onedl-mmcv" not in image or mmcv.items() <= image.items(), name


def test_the_start_script_becomes_the_program_so_that_signals_reach_it(tmp_path: Path):
    program = tmp_path / "python3"
    program.write_text("#!/bin/sh\necho $$ $1\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "YMIR_IMAGE": "det-x-tmi"}
    command = ["bash", str(REPOSITORY / "dockerfiles" / "start.sh")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.communicate()[0] == f"{process.pid} /app/det-x-tmi/start.py\n"


def test_the_list_of_contents_names_packed_weights_by_their_hash(tmp_path: Path):
    (tmp_path / "model.pt").write_bytes(b"weights")
    weights = runpy.run_path(str(REPOSITORY / "dockerfiles" / "sbom.py"))["weights"]
    (component,) = weights(tmp_path)
    assert component["hashes"] == [
        {"alg": "SHA-256", "content": "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"}
    ]


def test_the_list_of_contents_says_where_packed_weights_come_from(tmp_path: Path):
    (tmp_path / "model.pt").write_bytes(b"weights")
    origin = {"model.pt": {"url": "https://x/model.pt", "sha256": "9a12", "stated by": "https://api.x/release"}}
    (tmp_path / "sources.json").write_text(json.dumps(origin), encoding="utf-8")
    (component,) = runpy.run_path(str(REPOSITORY / "dockerfiles" / "sbom.py"))["weights"](tmp_path)
    assert component["name"] == "model.pt"
    assert component["externalReferences"] == [{"type": "distribution", "url": "https://x/model.pt"}]
    assert component["properties"] == [{"name": "ymir:sha256-stated-by", "value": "https://api.x/release"}]


def test_the_stage_of_the_weights_has_every_module_that_fetching_them_needs(tmp_path: Path):
    for line in RECIPE.replace("\\\n", " ").splitlines():
        if line.startswith("COPY common/"):
            *sources, folder = line.split()[1:]
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            for source in sources:
                shutil.copy(REPOSITORY / source, tmp_path / folder)
    for name in NAMES:
        (tmp_path / name).mkdir()
        shutil.copy(REPOSITORY / name / "zoo.py", tmp_path / name)
        command = [sys.executable, "-I", "-S", "-c", STAGE, str(tmp_path), name]
        assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "0\n"
