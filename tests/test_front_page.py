"""The pages that a visitor sees first: what they say was measured, and the code that they show is the code."""

import json
import re
from pathlib import Path

import pytest
from pages import blocks, read

from workbench.images import REPOSITORY

MEASURED = json.loads((REPOSITORY / "benchmarks" / "models.json").read_text(encoding="utf-8"))["models"]
READMES = [REPOSITORY / "README.md", REPOSITORY / "README.zh.md"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_speed_and_size_of_the_default_models_are_those_that_were_measured(language: str) -> None:
    page = (REPOSITORY / "docs" / language / "index.md").read_text(encoding="utf-8").replace("&nbsp;", " ")
    for model in MEASURED:
        [row] = [line for line in page.splitlines() if line.startswith(f"| [{model['image']}]")]
        assert f"{model['model']} {model['milliseconds']:.0f} ms" in row
        assert f"{model['parameters']:.1f} M" in row


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_so_are_those_of_the_readme(page: Path) -> None:
    for model in MEASURED:
        [row] = [line for line in read(page).splitlines() if line.startswith(f"| `{model['image']}`")]
        assert f"{model['model']}: {model['milliseconds']:.0f} ms, {model['parameters']:.1f} M" in row


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_readme_shows_code_as_it_is_in_the_file_that_it_names(page: Path) -> None:
    text = read(page)
    files = re.findall(r"`([\w/-]+\.py)`[)）][:：]\n\n```python", text)
    shown = [block.text for block in blocks(text) if block.language == "python"]
    assert len(files) == len(shown) == 2
    for file, code in zip(files, shown, strict=True):
        assert code in (REPOSITORY / file).read_text(encoding="utf-8"), file


def test_the_map_in_contributing_names_every_room_and_every_image_and_nothing_else() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\n## Map")[2].partition("\n## ")[0]
    first = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    named = {name for cell in first for name in re.findall(r"`([^`]+)/`", cell)}
    rooms = [*REPOSITORY.glob("common/*/__init__.py"), *REPOSITORY.glob("*-tmi/start.py")]
    assert {str(file.parent.relative_to(REPOSITORY)) for file in rooms} <= named
    assert all((REPOSITORY / name).is_dir() for name in named)


def test_every_image_was_measured() -> None:
    assert {model["image"] for model in MEASURED} == {file.parent.name for file in REPOSITORY.glob("*-tmi/start.py")}
