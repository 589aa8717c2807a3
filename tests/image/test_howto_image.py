"""The image of the how-to page, by following it: its own test runs in a copy of the repository."""

import re
import tomllib
from pathlib import Path

import pytest
from following import followed, python

RECIPE = """
import sys
sys.path.insert(0, "tests/containers")
from pathlib import Path
from smoke import SMOKES
SMOKES[0].write_training(Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with what the page adds, rendered."""
    root = followed(tmp_path_factory.mktemp("howto") / "copy", "image.md")
    assert "det-torchvision-tmi/img-man/manifest.yaml" in python(root, "-m", "workbench", "render")
    return root


def test_the_image_of_the_page_is_known_to_the_build_and_to_the_tests_of_images(root: Path, tmp_path: Path) -> None:
    names = sorted(path.parent.name for path in root.glob("*-tmi/start.py"))
    recipe = (root / "dockerfiles" / "executor.dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"AS compiled-(\S+)$", recipe, re.MULTILINE) == names
    python(root, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_recipe.py", "-k", "bake")
    python(root, "-c", RECIPE, str(tmp_path / "task"))
    assert (tmp_path / "task" / "in" / "env.yaml").is_file()
    extras = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    lock = (root / "requirements" / "dev.lock").read_text(encoding="utf-8")
    assert all(f"\n{package} " in lock for package in extras["det-torchvision-tmi"] if "==" in package)


def test_the_image_of_the_page_does_what_its_own_test_asks(root: Path) -> None:
    python(root, "-m", "ruff", "check", "--no-cache", "det-torchvision-tmi", "common/torchvision", "tests")
    python(root, "-m", "ruff", "format", "--no-cache", "--check", "det-torchvision-tmi", "common/torchvision", "tests")
    python(root, "-m", "workbench", "check", "det-torchvision-tmi/img-man")
    shown = python(root, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/image/test_torchvision_tasks.py")
    assert "2 passed" in shown
