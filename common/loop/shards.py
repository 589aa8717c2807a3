"""Resumable results of inference and mining: one file a chunk of the candidates, whole or absent.

A chunk is a fixed run of candidates, always predicted in the same batches. So the merged result has the same bytes
whether one rank did all, several shared the work, or a kill came in between.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from common.files import write_bytes
from common.results.records import AnyRecord

CHUNK_SIZE = 256
"""Most candidates in a chunk: what a kill can lose at most for each rank, and enough to fill batches of equal shape."""

LEAST_CHUNK_SIZE = 32
CHUNKS = 64
"""Chunks that a small set is cut into, so that several ranks have something to share."""


@dataclass(frozen=True)
class Shards:
    """The chunks of one task below one folder.

    Attributes:
        folder: made when first written to.
        count: number of candidates.
        content: what a chunk is decoded as, one of `records.CHUNK_TYPES`.
    """

    folder: Path
    count: int
    content: type[list[AnyRecord]]

    @property
    def size(self) -> int:
        """Candidates in a chunk. Depends on their number only: not on the ranks, which must not change a result."""
        return min(max(self.count // CHUNKS, LEAST_CHUNK_SIZE), CHUNK_SIZE)

    @property
    def chunks(self) -> range:
        """Numbers of all chunks."""
        return range(-(-self.count // self.size))

    def span(self, chunk: int) -> range:
        """Candidate numbers of a chunk."""
        return range(chunk * self.size, min((chunk + 1) * self.size, self.count))

    def release_claims(self) -> None:
        """Forget which rank worked on what; before the ranks start, when a kill may have left claims behind."""
        for path in self.folder.glob("*.claim"):
            path.unlink(missing_ok=True)

    def claim(self) -> Iterator[int]:
        """Chunks for the calling rank, one at a time: not done yet, and claimed by no other rank.

        A claim is a file that only one process can create. It needs no lock and no server, works on a shared disk, and
        a rank that dies holds nothing: the parent deletes all claims before it starts the ranks.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for chunk in self.chunks:
            if not self.finished(chunk) and self._take(chunk):
                yield chunk

    def write(self, chunk: int, records: Sequence[AnyRecord]) -> None:
        """Keep the finished chunk.

        Raises:
            ValueError: the number of records is not that of the chunk.
        """
        if len(records) != len(self.span(chunk)):
            raise ValueError(f"chunk {chunk}: expected {len(self.span(chunk))} records, got {len(records)}")
        write_bytes(self._path(chunk), msgspec.json.encode(records))

    def read(self, chunk: int) -> list[AnyRecord]:
        """The records of a finished chunk, in candidate order."""
        records: list[AnyRecord] = msgspec.json.decode(self._path(chunk).read_bytes(), type=self.content)
        return records

    def finished(self, chunk: int) -> bool:
        """Whether the records of a chunk are there."""
        return self._path(chunk).exists()

    def done(self) -> int:
        """How many candidates are in finished chunks."""
        return sum(len(self.span(chunk)) for chunk in self.chunks if self.finished(chunk))

    def records(self) -> Iterator[AnyRecord]:
        """All records in candidate order, one chunk in memory at a time.

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
