"""Resumable results of inference and mining: one file per chunk of the candidates, whole or absent.

A chunk is a fixed run of candidates, always predicted in the same batches. So the merged result has the same bytes
whether one rank did all the work, several shared it, or a kill interrupted it.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from common.files import write_bytes
from common.results.records import AnyRecord

CHUNK_SIZE = 256
"""Maximum number of candidates per chunk: what a kill can cost per rank, and enough to fill batches of equal shape."""

LEAST_CHUNK_SIZE = 32
CHUNKS = 64
"""Number of chunks of a small set, so that several ranks can share it."""


@dataclass(frozen=True)
class Shards:
    """The chunks of one task below one folder.

    Attributes:
        folder: created on the first write.
        count: number of candidates.
        content: type that a chunk is decoded as, one of `records.CHUNK_TYPES`.
    """

    folder: Path
    count: int
    content: type[list[AnyRecord]]

    @property
    def size(self) -> int:
        """Candidates per chunk. Depends on their number only, because the number of ranks must not change a result."""
        return min(max(self.count // CHUNKS, LEAST_CHUNK_SIZE), CHUNK_SIZE)

    @property
    def chunks(self) -> range:
        """Numbers of all chunks."""
        return range(-(-self.count // self.size))

    def span(self, chunk: int) -> range:
        """Numbers of the candidates in a chunk."""
        return range(chunk * self.size, min((chunk + 1) * self.size, self.count))

    def release_claims(self) -> None:
        """Delete all claims. The parent does so before the ranks start, because a kill may have left some behind."""
        for path in self.folder.glob("*.claim"):
            path.unlink(missing_ok=True)

    def claim(self) -> Iterator[int]:
        """Yield chunks for the calling rank, one at a time: not finished, and not claimed by another rank.

        A claim is a file that only one process can create (`O_EXCL`). This needs no lock and no server and works on a
        shared disk. A rank that dies leaves its claim behind, but a dead rank fails the task, and the parent deletes
        all claims before it starts the ranks again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for chunk in self.chunks:
            if not self.finished(chunk) and self._take(chunk):
                yield chunk

    def write(self, chunk: int, records: Sequence[AnyRecord]) -> None:
        """Store a finished chunk.

        Raises:
            ValueError: the number of records is not the size of the chunk.
        """
        if len(records) != len(self.span(chunk)):
            raise ValueError(f"chunk {chunk}: expected {len(self.span(chunk))} records, got {len(records)}")
        write_bytes(self._path(chunk), msgspec.json.encode(records))

    def read(self, chunk: int) -> list[AnyRecord]:
        """Read the records of a finished chunk, in the order of the candidates."""
        records: list[AnyRecord] = msgspec.json.decode(self._path(chunk).read_bytes(), type=self.content)
        return records

    def finished(self, chunk: int) -> bool:
        """Return whether the records of a chunk are stored."""
        return self._path(chunk).exists()

    def done(self) -> int:
        """Count the candidates in finished chunks."""
        return sum(len(self.span(chunk)) for chunk in self.chunks if self.finished(chunk))

    def records(self) -> Iterator[AnyRecord]:
        """Read all records in the order of the candidates, one chunk in memory at a time.

        Raises:
            FileNotFoundError: a chunk is not finished.
        """
        for chunk in self.chunks:
            yield from self.read(chunk)

    def _take(self, chunk: int) -> bool:
        try:
            os.close(os.open(self.folder / f"{chunk:06d}.claim", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def _path(self, chunk: int) -> Path:
        return self.folder / f"{chunk:06d}.json"
