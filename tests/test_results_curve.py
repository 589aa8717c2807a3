"""training-curve.csv."""

from pathlib import Path

from common.contract import ObjectType
from common.results.curve import Point, add_point, read_curve


def test_a_restarted_training_goes_on_with_its_curve(tmp_path: Path) -> None:
    path = tmp_path / "training-curve.csv"
    for epoch in (1, 2, 3, 2, 3):
        add_point(path, Point(epoch, 0.1 * epoch, 0.05, 2.0 / epoch), ObjectType.DETECTION)
    assert [point.step for point in read_curve(path)] == [1, 2, 3]
    assert path.read_text(encoding="utf-8").splitlines()[:2] == ["epoch,mAP,mAP50_95,loss", "1,0.1,0.05,2"]


def test_no_file_is_an_empty_curve(tmp_path: Path) -> None:
    assert read_curve(tmp_path / "training-curve.csv") == []


def test_the_columns_say_what_is_measured_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "training-curve.csv"
    add_point(path, Point(500, 0.25, 0.5, 1.5), ObjectType.SEMANTIC, "iteration")
    assert path.read_text(encoding="utf-8") == "iteration,mIoU,mAcc,loss\n500,0.25,0.5,1.5\n"
    assert read_curve(path) == [Point(500, 0.25, 0.5, 1.5)]
