"""Files that a reader, or a kill, can never catch half-written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Write a whole new version of a file: until the block ends well, `path` keeps its old content.

    Args:
        path: the file to write; its folder is made.
        durable: wait until the bytes are on the disk. Off for what is rewritten every second.

    Yields:
        A binary handle on a temporary file in the same folder, so that the final rename stays on one file system.
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
    """Replace the content of `path` in one step."""
    with replacing(path, durable=durable) as handle:
        handle.write(content)


def write_text(path: Path, content: str, *, durable: bool = True) -> None:
    """Replace the content of `path` in one step, as UTF-8."""
    write_bytes(path, content.encode(), durable=durable)


def link_or_copy(source: Path, target: Path) -> None:
    """Give the bytes of `source` a second name, in one step, without a second copy where the file system allows it.

    The source may later be replaced (not rewritten) without any effect on the target.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:  # no hard links here, or another file system
        write_bytes(temporary, source.read_bytes())
    temporary.replace(target)
    temporary.unlink(missing_ok=True)  # a rename onto another name of the same file does nothing
