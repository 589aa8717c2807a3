"""The demo, with an image that needs no torch."""

import io
import shutil
from pathlib import Path

import cv2
import pytest
import yaml
from rich.console import Console

from common.contract import Verb
from workbench import demo, picture
from workbench.check import Finding
from workbench.form import filled_form
from workbench.shapes import PLAIN


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(demo, "TRAIN_IMAGES", 3)
    monkeypatch.setattr(demo, "VAL_IMAGES", 2)
    monkeypatch.setattr(demo, "UNLABELLED_IMAGES", ((4, PLAIN),))
    monkeypatch.setattr(picture, "GRID", (1, 2))
    monkeypatch.setattr(picture, "STRIP", 2)


@pytest.fixture
def image(tmp_path):
    """The folder of an image whose forms have just what the demo fills in."""
    folder = tmp_path / "image"
    (folder / "img-man").mkdir(parents=True)
    shutil.copyfile(Path(__file__).parent / "fake_start.py", folder / "start.py")
    for verb, values in (("training", demo.TRAINING_PARAMETERS), ("mining", demo.MINING_PARAMETERS)):
        (folder / "img-man" / f"{verb}-template.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return folder


def run(folder, image):
    console = Console(file=io.StringIO(), width=200)
    demo.run_demo(folder, console, image)
    return console.file.getvalue()


def test_the_demo_ends_with_a_picture_a_page_and_the_paths_of_all_outputs(tmp_path, image):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "stale").write_bytes(b"")
    shown = run(tmp_path, image)
    paths = [Path(line.rsplit(maxsplit=1)[-1]) for line in shown.splitlines() if line.startswith("  ")]
    assert len(paths) >= 10
    assert all(path.exists() for path in paths)
    assert cv2.imread(str(tmp_path / "overview.png")).shape == (1606, 1980, 3)
    assert "AP at IoU 0.5 on validation: 0.970" in shown
    assert not (tmp_path / "training" / "stale").exists()


def test_a_file_that_is_no_image_is_among_the_candidates():
    broken = demo.unlabelled_samples()[-1]
    assert broken.content is not None


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("LEAST_AP50", 0.98, "AP at IoU 0.5 is 0.970; at least 0.98 is expected"),
        ("check_out", lambda env_file: [Finding(env_file, "is wrong", "Do it right")], "1 outputs are not as"),
    ],
)
def test_results_that_are_not_good_enough_fail_the_demo(tmp_path, image, monkeypatch, setting, value, message):
    monkeypatch.setattr(demo, "draw_overview", lambda *_: None)
    monkeypatch.setattr(demo, setting, value)
    with pytest.raises(demo.DemoError, match=message):
        run(tmp_path, image)


def test_an_image_that_fails_ends_the_demo(tmp_path, image):
    (image / "start.py").write_text("raise SystemExit(64)", encoding="utf-8")
    with pytest.raises(demo.DemoError, match="image failed with exit status 64"):
        run(tmp_path / "demo", image)


def test_the_parameters_of_the_demo_are_in_the_forms_of_its_image():
    assert filled_form(demo.IMAGE, Verb.TRAINING, demo.TRAINING_PARAMETERS)["export_format"] == "ark:raw"
    assert filled_form(demo.IMAGE, Verb.MINING, demo.MINING_PARAMETERS)["mining_algorithm"] == "entropy"


@pytest.mark.parametrize(
    ("verb", "kept"),
    [
        (Verb.TRAINING, {"epochs": 0, "fp16": False, "model": "n"}),  # only '' is lost
        (Verb.MINING, {"model": "n"}),  # everything falsy is
    ],
)
def test_the_form_loses_what_the_web_page_loses(image, verb, kept):
    values = {"epochs": 0, "fp16": False, "model": "m", "options": ""}
    (image / "img-man" / f"{verb}-template.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    assert filled_form(image, verb, {"model": "n"}) == kept


def test_the_form_has_no_field_for_an_unknown_key(image):
    with pytest.raises(ValueError, match="epoch: not in"):
        filled_form(image, Verb.TRAINING, {"epoch": 3})
