"""The one reader of files that `torch.save` wrote. It makes data of them and runs nothing.

A pickle is a program for a small machine, and `torch.load` lets it call whatever it names. Here the machine
(`common.weights.unpickler`) knows a short list of names (`common.weights.allowed`); all others are refused by name
before anything is made of them. What a file can hold:

* numbers, text, bytes, lists, tuples, dictionaries, sets; paths, which become text; tensors, parameters, dtypes, and
  arrays of numbers of NumPy;
* objects of the classes that the caller's `classes` know. They are made without their constructor and get their
  attributes; their hooks stay empty. Being a layer whose forward pass may run later is all that they can do, so a
  caller lists layers only;
* empty shells (`Shell`) in place of classes below the caller's `shells`: layers without a forward pass, whose tensors
  and attributes can be read. `type(shell).__module__` and `.__qualname__` are those that the file names.

A class is never a value: nothing in the result is callable but such objects.

Formats: the zip archives of torch 1.6 and later, and the plain sequence of pickles of before. Archives of TorchScript
are programs and are refused; so are compressed archives, of which a small one can fill the memory. All tensors come
to the CPU. Time and memory are bounded by a multiple of the file's size.

    content = load(path)                                                # data only: weights of OpenMMLab
    content = load(path, classes=[torch_layers], shells=["models.", "utils."])  # a checkpoint of the yolov5 repository
"""

import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from common.errors import ModelError
from common.weights.allowed import Allowed, Classes, RefusedError, Shell, layers_of
from common.weights.rebuild import Rebuild, Storages, memory
from common.weights.shapes import check_layers
from common.weights.unpickler import Unpickler

__all__ = ["Classes", "Shell", "layers_of", "load", "torch_layers"]

MAGIC = 0x1950A86A20F9469CFC6C
"""Begins a file of torch before 1.6, as a pickle of its own."""

PROTOCOL = 1001
"""Follows it."""

SCRIPT = "constants.pkl"
"""A member that only archives of TorchScript have."""

torch_layers: Classes = layers_of("torch.nn.modules")
"""Layers of torch itself."""


def load(path: Path, *, classes: Sequence[Classes] = (), shells: Sequence[str] = ()) -> Any:
    """The content of a file of `torch.save`, with all tensors on the CPU.

    Args:
        path: of the file.
        classes: what may become an object, see `Classes`; the first that knows a name decides.
        shells: beginnings of full names (`models.`) that become shells where no `classes` know them.

    Raises:
        ModelError: the file would run something (the message names it), is damaged, or is not such a file.
    """
    try:
        content, objects = _read(path, Allowed(tuple(classes), tuple(shells)))
        check_layers(objects)
    except RefusedError as error:
        raise ModelError(f"{path}: refused: {error}") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # whatever a damaged file makes of Unpickler, zipfile and torch
        reason = next(iter(str(error).splitlines()), "")[:200]
        raise ModelError(
            f"{path}: cannot be loaded: damaged, or not written by torch.save ({type(error).__name__}: {reason})"
        ) from error
    return content


def _read(path: Path, allowed: Allowed) -> tuple[Any, list[Any]]:
    """The content, and the objects that were made for it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
    return _read_archive(path, size, allowed) if zipped else _read_sequence(path, size, allowed)


def _read_archive(path: Path, size: int, allowed: Allowed) -> tuple[Any, list[Any]]:
    """Read a zip archive: `<root>/data.pkl`, and one member `<root>/data/<key>` per storage."""
    with zipfile.ZipFile(path) as archive:
        sizes = _members(archive, size)
        roots = [name.partition("/")[0] for name in sizes if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise ValueError("a zip archive without one data.pkl")
        root = roots[0]
        if f"{root}/{SCRIPT}" in sizes:
            raise RefusedError("it is an archive of TorchScript, which is a program; needed are weights of torch.save")
        if f"{root}/byteorder" in sizes and archive.read(f"{root}/byteorder") != b"little":
            raise ValueError("written by a machine of another byte order")

        def read(key: str) -> bytes:
            return archive.read(f"{root}/data/{key}")

        def size_of(key: str) -> int:
            return sizes[f"{root}/data/{key}"]

        storages = _ArchiveStorages(read, size_of)
        unpickler = Unpickler(BytesIO(archive.read(f"{root}/data.pkl")), allowed, Rebuild(storages, size))
        return unpickler.load(), unpickler.objects


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, int]:
    """Sizes of the members in bytes, by name."""
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise RefusedError("it is a compressed archive, which torch.save does not write")
    if sum(member.file_size for member in members) > size:
        raise ValueError("members of the archive overlap")
    sizes = {member.filename: member.file_size for member in members}
    if len(sizes) != len(members):
        raise ValueError("two members of the archive have one name")
    return sizes


class _ArchiveStorages(Storages):
    """Storages that are read from an archive when the pickle first names them."""

    def __init__(self, read: Callable[[str], bytes], size_of: Callable[[str], int]) -> None:
        super().__init__()
        self._read = read
        self._size_of = size_of

    def _make(self, key: str, count: int) -> torch.UntypedStorage:
        if self._size_of(key) < count:
            raise ValueError(f"storage {key} is too short")
        return torch.frombuffer(bytearray(self._read(key)), dtype=torch.uint8).untyped_storage()


def _read_sequence(path: Path, size: int, allowed: Allowed) -> tuple[Any, list[Any]]:
    """Read pickles that follow one another: two marks, facts about the machine, the content, the keys of its storages.

    Then the storages themselves follow, each after its number of elements.
    """
    file = BytesIO(path.read_bytes())
    nothing = Allowed()

    def value() -> Any:
        return Unpickler(file, nothing, Rebuild(Storages(), size)).load()

    if value() != MAGIC or value() != PROTOCOL:
        raise ValueError("it does not begin as files of torch.save do")
    if not value()["little_endian"]:
        raise ValueError("written by a machine of another byte order")
    storages = _SequenceStorages(size)
    unpickler = Unpickler(file, allowed, Rebuild(storages, size))
    content = unpickler.load()
    for key in value():
        storages.fill(key, file.read)
    if storages.empty:
        raise ValueError("storages are missing at its end")
    return content, unpickler.objects


class _SequenceStorages(Storages):
    """Storages whose bytes come after the pickle that names them."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._left = limit
        self.empty: set[str] = set()

    def _make(self, key: str, count: int) -> torch.UntypedStorage:
        self._left -= count
        if self._left < 0:
            raise ValueError("it names more numbers than the file holds")
        self.empty.add(key)
        return memory(count)

    def fill(self, key: str, read: Callable[[int], bytes]) -> None:
        """Read the bytes of one storage."""
        self.empty.remove(key)
        storage = self.made[key]
        read(8)  # the number of elements, which the pickle has told
        content = read(storage.nbytes())
        if len(content) != storage.nbytes():
            raise ValueError("it ends within a storage")
        if content:
            torch.empty(0, dtype=torch.uint8).set_(storage).copy_(
                torch.frombuffer(bytearray(content), dtype=torch.uint8)
            )
