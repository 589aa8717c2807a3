"""Classes of given weights are matched by name, and the log tells which go on."""

from pathlib import Path

import pytest

from common.weights.classes import match_classes, report_classes


@pytest.mark.parametrize(
    ("known", "wanted", "matches"),
    [
        (["cat", "dog"], ["dog", "cat"], [1, 0]),
        (["cat", "dog"], ["fox", "dog"], [None, 1]),
        (["Cat ", "dog"], ["cat"], [0]),
        (["A", "a"], ["a", "A"], [1, 0]),  # the same name first
        (["A", "a"], [" a"], [0]),
        ([], ["a"], [None]),
    ],
)
def test_classes_are_matched_by_name(known: list[str], wanted: list[str], matches: list[int | None]) -> None:
    assert match_classes(known, wanted) == matches


def test_the_log_tells_which_classes_go_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    report_classes(Path("best.pt"), ["cat", "dog"], ["dog", "fox"])
    assert "classes that best.pt knows: dog; new ones: fox" in caplog.text
