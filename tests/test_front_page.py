"""The page that helps to choose an image tells what was measured."""

import json

import pytest

from workbench.images import REPOSITORY

MEASURED = json.loads((REPOSITORY / "benchmarks" / "models.json").read_text(encoding="utf-8"))["models"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_speed_and_size_of_the_default_models_are_those_that_were_measured(language: str) -> None:
    page = (REPOSITORY / "docs" / language / "index.md").read_text(encoding="utf-8").replace("&nbsp;", " ")
    for model in MEASURED:
        [row] = [line for line in page.splitlines() if line.startswith(f"| [{model['image']}]")]
        assert f"{model['model']} {model['milliseconds']:.0f} ms" in row
        assert f"{model['parameters']:.1f} M" in row


def test_every_image_was_measured() -> None:
    assert {model["image"] for model in MEASURED} == {file.parent.name for file in REPOSITORY.glob("*-tmi/start.py")}
