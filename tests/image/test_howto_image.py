"""The image of the how-to page, by following it: its own test runs in a copy of the repository."""

from pathlib import Path

from following import followed, python


def test_the_image_of_the_page_does_what_its_own_test_asks(tmp_path: Path) -> None:
    root = followed(tmp_path / "copy", "image.md")
    assert "det-torchvision-tmi/img-man/manifest.yaml" in python(root, "-m", "workbench", "render")
    python(root, "-m", "ruff", "check", "--no-cache", "det-torchvision-tmi", "common/torchvision", "tests")
    python(root, "-m", "ruff", "format", "--no-cache", "--check", "det-torchvision-tmi", "common/torchvision", "tests")
    python(root, "-m", "workbench", "check", "det-torchvision-tmi/img-man")
    shown = python(root, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/image/test_torchvision_tasks.py")
    assert "2 passed" in shown
