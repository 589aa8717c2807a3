"""Index files: what is a line, what is refused, and what is looked up about the paths."""

from collections.abc import Callable
from pathlib import Path

import pytest

from common.datasets.index import (
    LIST_FOLDER_FROM,
    Sample,
    duplicate_names,
    missing_files,
    read_candidate_index,
    read_training_index,
)
from common.errors import DatasetError


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("image", "annotation"),
    [
        ("/in/assets/0a/0a.jpg", "/in/annotations/0a/0a.txt"),  # as the platform writes it
        ("/in/assets/my photo  1.JPG", "/in/annotations/my photo  1.txt"),  # blanks
        ("/in/assets/图片 一.png", "/in/annotations/图片 一.txt"),  # Chinese
        ("/in/assets/noextension", "/in/annotations/noextension"),  # no extension
        ("/in/assets/a\u2028b.jpg", "/in/annotations/a\x0bb.txt"),  # line ends to str.splitlines, letters to us
        ("/in/assets/ends with a blank ", "/in/annotations/x "),  # nothing is stripped
    ],
)
def test_a_training_line_is_split_at_the_tab_only(tmp_path: Path, image: str, annotation: str) -> None:
    index = write(tmp_path / "train-index.tsv", f"{image}\t{annotation}\n")
    assert read_training_index(index) == [Sample(Path(image), Path(annotation))]


def test_lines_keep_their_order_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    index = write(tmp_path / "i.tsv", "\n/b\t/b.txt\r\n  \n/a\t/a.txt\n/c\t/c.txt")
    assert [sample.image.name for sample in read_training_index(index)] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("line", "image"),
    [
        ("/in/a.jpg", "/in/a.jpg"),  # as the platform writes it
        ("/in/a.jpg\t/in/a.txt", "/in/a.jpg"),  # a training index
        ("/in/a.jpg\trelative", "/in/a.jpg"),  # what follows the tab does not matter
        ("/in/图 片", "/in/图 片"),  # Chinese, a blank, no extension
    ],
)
def test_a_candidate_line_is_an_image_up_to_the_first_tab(tmp_path: Path, line: str, image: str) -> None:
    assert read_candidate_index(write(tmp_path / "c.tsv", f"{line}\n\n")) == [image]


Read = Callable[[Path], object]


@pytest.mark.parametrize(
    ("read", "content", "words"),
    [
        (read_training_index, None, ["index.tsv", "missing"]),  # no file
        (read_candidate_index, None, ["index.tsv", "missing"]),  # no file
        (read_training_index, "", ["index.tsv", "export_format", "none", "unknown", "ark"]),  # export_format none:raw
        (read_candidate_index, "\n \n", ["index.tsv", "no image"]),  # only blank lines
        (read_training_index, "/a\t/a.txt\n\n/b /b.txt\n", ["index.tsv:3", "'/b /b.txt'", "no tab"]),  # blank for tab
        (read_training_index, "a.jpg\t/a.txt\n", ["index.tsv:1", "'a.jpg'", "absolute"]),  # relative image
        (read_training_index, "/a.jpg\ta.txt\n", ["index.tsv:1", "'a.txt'", "absolute"]),  # relative annotation
        (read_training_index, "/a.jpg\t\n", ["index.tsv:1", "''", "absolute"]),  # nothing after the tab
        (read_candidate_index, "/a\n图.jpg\n", ["index.tsv:2", "'图.jpg'", "absolute"]),  # relative candidate
        (read_candidate_index, b"/a\xff.jpg\n", ["index.tsv", "UTF-8"]),  # another encoding
        (read_training_index, "a\nb\n", ["2 problems", "index.tsv:1", "index.tsv:2"]),  # all mistakes at once
    ],
)
def test_a_bad_index_is_refused_with_its_place_and_value(
    tmp_path: Path, read: Read, content: str | bytes | None, words: list[str]
) -> None:
    path = tmp_path / "index.tsv"
    if content is not None:
        write(path, content)
    with pytest.raises(DatasetError) as failure:
        read(path)
    assert [word for word in words if word not in str(failure.value)] == []


def test_ten_mistakes_are_told_and_the_rest_is_counted(tmp_path: Path) -> None:
    index = write(tmp_path / "i.tsv", "".join(f"no-tab-{i:03d}\n" for i in range(37)))
    with pytest.raises(DatasetError, match=r"^37 problems: .*no-tab-009.*; and 27 more$") as failure:
        read_training_index(index)
    assert "no-tab-010" not in str(failure.value)


def test_a_picture_given_as_index_does_not_flood_the_message(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as failure:
        read_training_index(write(tmp_path / "i.tsv", "x" * 100_000))
    assert len(str(failure.value)) < 500


@pytest.mark.parametrize("count", [3, LIST_FOLDER_FROM + 3])  # asked for one by one; by listing the folder
def test_missing_files_are_found_in_the_given_order(tmp_path: Path, count: int) -> None:
    real = tmp_path / "real folder 图"
    real.mkdir()
    (tmp_path / "linked").symlink_to(real)
    present = [write(real / f"{i} 图", b"") for i in range(count)]
    (real / "dangling").symlink_to(tmp_path / "nowhere")
    (real / "link to a file").symlink_to(present[0])
    (real / "a folder").mkdir()
    absent = [real / "gone", tmp_path / "no such folder" / "x", tmp_path / "linked" / "gone", real / "dangling"]
    absent += [real / "a folder"]
    fine = [*present, *(tmp_path / "linked" / path.name for path in present), real / "link to a file"]
    assert missing_files([absent[0], *fine, *absent[1:]]) == absent


def test_a_large_folder_is_listed_once_and_its_files_are_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = [write(tmp_path / str(i), b"") for i in range(LIST_FOLDER_FROM)]
    monkeypatch.setattr("os.path.isfile", lambda path: pytest.fail(f"asked for {path}"))
    assert missing_files([*present, tmp_path / "gone"]) == [tmp_path / "gone"]


def test_a_folder_that_cannot_be_listed_is_asked_for_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: str) -> None:
        raise PermissionError(folder)

    present = [write(tmp_path / str(i), b"") for i in range(LIST_FOLDER_FROM)]
    monkeypatch.setattr("os.scandir", refuse)
    assert missing_files([*present, tmp_path / "gone"]) == [tmp_path / "gone"]


def test_duplicate_names_are_equal_base_names_of_any_folder() -> None:
    paths = [Path("/a/x.jpg"), Path("/b/x.jpg"), Path("/a/X.jpg"), Path("/a/x"), Path("/c/图"), Path("/c/图")]
    assert duplicate_names(paths) == {
        "x.jpg": [Path("/a/x.jpg"), Path("/b/x.jpg")],
        "图": [Path("/c/图"), Path("/c/图")],
    }
