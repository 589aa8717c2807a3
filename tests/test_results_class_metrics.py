"""class-metrics.csv, and what the log tells of it."""

from pathlib import Path

import pytest

from common.contract import ObjectType
from common.results.class_metrics import ClassMetrics, log_classes, read_classes, write_classes

ODD_NAMES = ["dog, brown", 'a "cat"', "黑猫", " led by a space", "two\nlines", "=1+1", ""]


def test_classes_come_back_in_their_order_whatever_they_are_called(tmp_path: Path) -> None:
    classes = [ClassMetrics(name, i / 8, i / 16, i) for i, name in enumerate(ODD_NAMES)]
    write_classes(tmp_path / "c.csv", classes, ObjectType.DETECTION)
    assert read_classes(tmp_path / "c.csv") == classes


@pytest.mark.parametrize(
    ("object_type", "header"),
    [
        (ObjectType.DETECTION, "class,AP50,AP50_95,objects"),
        (ObjectType.SEMANTIC, "class,IoU,accuracy,pixels"),
        (ObjectType.INSTANCE, "class,maskAP50,maskAP50_95,objects"),
    ],
)
def test_the_columns_say_what_is_measured(tmp_path: Path, object_type: ObjectType, header: str) -> None:
    write_classes(tmp_path / "c.csv", [ClassMetrics("dog", 0.25, 1 / 3, 7)], object_type)
    assert (tmp_path / "c.csv").read_text(encoding="utf-8") == f"{header}\ndog,0.25,0.333333,7\n"


def test_a_class_that_cannot_be_measured_has_empty_cells_and_one_that_is_never_found_has_zeros(tmp_path: Path) -> None:
    classes = [ClassMetrics("unseen", None, None, 0), ClassMetrics("missed", 0.0, 0.0, 3)]
    write_classes(tmp_path / "c.csv", classes, ObjectType.DETECTION)
    assert (tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()[1:] == ["unseen,,,0", "missed,0,0,3"]
    assert read_classes(tmp_path / "c.csv") == classes


def test_no_file_is_an_empty_table_and_nothing_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert read_classes(tmp_path / "c.csv") == []
    log_classes(tmp_path / "c.csv", ObjectType.DETECTION)
    assert caplog.messages == []


def test_the_log_shows_the_worst_classes_first_and_those_without_numbers_last(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    classes = [ClassMetrics("dog", 0.9, 0.5, 1200), ClassMetrics("黑猫", None, None, 0), ClassMetrics("bird", 0, 0, 8)]
    write_classes(tmp_path / "c.csv", classes, ObjectType.DETECTION)
    log_classes(tmp_path / "c.csv", ObjectType.DETECTION)
    assert caplog.messages[1:] == [
        "   AP50  AP50_95  objects  class",
        "  0.000    0.000        8  bird",
        "  0.900    0.500     1200  dog",
        "      -        -        0  黑猫",
    ]


def test_of_many_classes_the_log_shows_the_twenty_worst_and_counts_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    classes = [ClassMetrics(f"class {i}", i / 80, i / 160, i) for i in range(80)]
    write_classes(tmp_path / "c.csv", classes[::-1], ObjectType.INSTANCE)
    log_classes(tmp_path / "c.csv", ObjectType.INSTANCE)
    assert [line.rpartition("  ")[2] for line in caplog.messages[2:-1]] == [f"class {i}" for i in range(20)]
    assert caplog.messages[-1] == "  and 60 other classes"
