"""The demo, with an image that needs no torch."""

import io
from pathlib import Path

import cv2
import pytest
from rich.console import Console

from workbench import demo, picture
from workbench.check import Finding
from workbench.shapes import PLAIN

FAKE = Path(__file__).parent / "fake_start.py"


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(demo, "TRAIN_IMAGES", 3)
    monkeypatch.setattr(demo, "VAL_IMAGES", 2)
    monkeypatch.setattr(demo, "UNLABELLED_IMAGES", ((4, PLAIN),))
    monkeypatch.setattr(picture, "GRID", (1, 2))
    monkeypatch.setattr(picture, "STRIP", 2)


def run(folder, start_file=FAKE):
    console = Console(file=io.StringIO(), width=200)
    demo.run_demo(folder, console, start_file)
    return console.file.getvalue()


def test_the_demo_ends_with_a_picture_a_page_and_the_paths_of_all_outputs(tmp_path):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "stale").write_bytes(b"")
    shown = run(tmp_path)
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
def test_results_that_are_not_good_enough_fail_the_demo(tmp_path, monkeypatch, setting, value, message):
    monkeypatch.setattr(demo, "draw_overview", lambda *_: None)
    monkeypatch.setattr(demo, setting, value)
    with pytest.raises(demo.DemoError, match=message):
        run(tmp_path)


def test_an_image_that_fails_ends_the_demo(tmp_path):
    start_file = tmp_path / "start.py"
    start_file.write_text("raise SystemExit(64)", encoding="utf-8")
    with pytest.raises(demo.DemoError, match="failed with exit status 64"):
        run(tmp_path / "demo", start_file)
