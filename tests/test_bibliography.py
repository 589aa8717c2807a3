"""The bibliography of the docs. That it is up to date: `render --check`."""

import pytest

from common.mining.registry import ALGORITHMS
from workbench.bibliography import Paper, bibliography


def test_every_algorithm_but_the_baseline_is_in_the_bibliography() -> None:
    names = {name for algorithms in ALGORITHMS.values() for name in algorithms} - {"random"}
    page = bibliography("en")
    assert {name for name in names if page.count(f"[{name}]({name.lower()}.md)") == 1} == names


def test_a_paper_is_taken_apart() -> None:
    paper = Paper.of("Ann, Bob: Learning: a survey. ICCV 2019, arXiv:1911.09168")
    assert paper == ("Ann, Bob", "Learning: a survey", "ICCV 2019, arXiv:1911.09168")
    with pytest.raises(ValueError, match="not of the form"):
        Paper.of("Ann, Bob, ICCV 2019")
