"""result.tsv: the order is the result."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.results.mining import write_mining_result


def lines_of(path: Path, scores: list[tuple[str, float]], task_id: str = "t1") -> list[str]:
    write_mining_result(path, scores, task_id)
    return path.read_text(encoding="utf-8").splitlines()


def test_the_image_to_label_first_is_on_top(tmp_path: Path) -> None:
    scores = [("/in/assets/a.jpg", 0.5), ("/in/assets/b b.jpg", 2.25), ("/in/assets/图", -1.0)]
    assert lines_of(tmp_path / "out" / "result.tsv", scores) == [
        "/in/assets/b b.jpg\t2.25",
        "/in/assets/a.jpg\t0.5",
        "/in/assets/图\t-1",
    ]


def test_the_file_ends_with_a_line_end_and_has_a_line_for_each_image(tmp_path: Path) -> None:
    write_mining_result(tmp_path / "result.tsv", [(f"/{i}.jpg", 0.0) for i in range(20)], "t1")
    content = (tmp_path / "result.tsv").read_text(encoding="utf-8")
    assert content.endswith("\n")
    assert {line.split("\t")[0] for line in content.splitlines()} == {f"/{i}.jpg" for i in range(20)}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (0.5, 0.5),
        (0.12345678, 0.12345679),  # the last bits of a sum differ from machine to machine
        (0.0, -0.0),
        (1e-9, 1.0000001e-9),
    ],
)
def test_equal_scores_are_ordered_by_lot_whatever_the_order_of_the_index(
    tmp_path: Path, first: float, second: float
) -> None:
    names = [f"/{i}.jpg" for i in range(30)]
    one = lines_of(tmp_path / "1.tsv", [(name, first) for name in names])
    mixed = [(name, second if i % 2 else first) for i, name in enumerate(names)]
    two = lines_of(tmp_path / "2.tsv", mixed[::-1])
    order = [line.split("\t")[0] for line in one]
    assert [line.split("\t")[0] for line in two] == order
    assert order not in (names, names[::-1])
    assert lines_of(tmp_path / "3.tsv", [(name, first) for name in names], "t2") != one  # another task, another lot


def test_images_of_one_name_in_two_folders_have_a_fixed_order(tmp_path: Path) -> None:
    scores = [("/b/x.jpg", 1.0), ("/a/x.jpg", 1.0)]
    assert lines_of(tmp_path / "1.tsv", scores) == lines_of(tmp_path / "2.tsv", scores[::-1])


def test_the_lot_does_not_depend_on_the_folder(tmp_path: Path) -> None:
    orders = []
    for folder in ("/in/assets", "/elsewhere"):
        lines = lines_of(tmp_path / "result.tsv", [(f"{folder}/{i}.jpg", 1.0) for i in range(20)])
        orders.append([Path(line.split("\t")[0]).name for line in lines])
    assert orders[0] == orders[1]


@settings(max_examples=25)
@given(st.lists(st.floats(-1e12, 1e12), max_size=30), st.integers(0, 100))
def test_any_finite_scores_are_written_in_descending_order(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], seed: int
) -> None:
    scores = [(f"/{i}.jpg", value) for i, value in enumerate(values)]
    path = tmp_path_factory.getbasetemp() / "result.tsv"
    lines = lines_of(path, scores)
    written = [float(line.split("\t")[1]) for line in lines]
    assert written == sorted(written, reverse=True)
    assert sorted(line.split("\t")[0] for line in lines) == sorted(name for name, _ in scores)
    random.Random(seed).shuffle(scores)
    assert lines_of(path, scores) == lines
