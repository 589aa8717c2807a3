"""Files that change in one step."""

import os
from pathlib import Path

import pytest

from common.files import link_or_copy, replacing, write_bytes, write_text


def test_the_folder_is_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "文件.txt", "内容\n")
    assert (tmp_path / "a" / "b" / "文件.txt").read_bytes() == "内容\n".encode()
    assert len(list((tmp_path / "a" / "b").iterdir())) == 1


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_keeps_its_content_until_the_new_one_is_whole(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "result"
    write_bytes(path, b"old", durable=durable)
    with replacing(path, durable=durable) as handle:
        handle.write(b"new")
        handle.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("existed", [True, False])
def test_a_failure_changes_nothing(tmp_path: Path, existed: bool) -> None:
    path = tmp_path / "result"
    if existed:
        path.write_bytes(b"old")

    def fail() -> None:
        with replacing(path) as handle:
            handle.write(b"half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([b"old"] if existed else [])


@pytest.mark.parametrize("links", [True, False])  # False: a file system without hard links
def test_a_second_name_survives_the_replacement_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", _refuse)
    source, target = tmp_path / "last.pt", tmp_path / "models" / "best.pt"
    write_bytes(source, b"epoch 1")
    for _ in range(2):
        link_or_copy(source, target)
        assert [each.name for each in target.parent.iterdir()] == ["best.pt"]
    write_bytes(source, b"epoch 2")
    assert target.read_bytes() == b"epoch 1"
    link_or_copy(source, target)
    assert target.read_bytes() == b"epoch 2"
    assert [each.name for each in target.parent.iterdir()] == ["best.pt"]
    assert source.samefile(target) == links


def _refuse(*_: object) -> None:
    raise OSError("no hard links here")
