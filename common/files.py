"""Atomic writes: neither a reader nor a kill ever sees half a file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Write a new version of a file: `path` keeps its old content until the block has succeeded.

    Args:
        path: the file to write; its folder is created.
        durable: wait until the bytes are on the disk. Off for files that are rewritten every second.

    Yields:
        A binary handle of a temporary file in the same folder, so that the final rename stays on one file system.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as handle:
            yield handle
            if durable:
                handle.flush()
                os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace the content of a file in one step."""
    with replacing(path, durable=durable) as handle:
        handle.write(content)


def write_text(path: Path, content: str, *, durable: bool = True) -> None:
    """Replace the content of a file in one step, as UTF-8."""
    write_bytes(path, content.encode(), durable=durable)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name in one step: a hard link, or a copy where the file system has no links.

    The source may be replaced later (but not rewritten in place) without any effect on the target.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:  # no hard links here, or another file system
        write_bytes(temporary, source.read_bytes())
    temporary.replace(target)
    temporary.unlink(missing_ok=True)  # renaming a file onto another link to itself does nothing
