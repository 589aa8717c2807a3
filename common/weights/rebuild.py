"""Tensors and arrays of a pickle, made by functions of our own in place of those that it names."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

SLACK = 1 << 28
"""Bytes that the tensors of a file may have beyond four times its size: expanded ones are larger than their storage."""

PLAIN = re.compile(r"[biufcSU?]\d*|bool|u?int\d+|float\d+|complex\d+")
"""Types of NumPy that hold numbers or text, and no objects."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Memory of a tensor that a pickle names, and the type of its elements."""

    memory: torch.UntypedStorage
    dtype: torch.dtype


def memory(count: int) -> torch.UntypedStorage:
    """New memory of `count` bytes."""
    return torch.empty(count, dtype=torch.uint8).untyped_storage()


class Storages:
    """The memory that a file's tensors share, by key. The formats differ in how it is made."""

    def __init__(self) -> None:
        self.made: dict[str, torch.UntypedStorage] = {}

    def find(self, key: str, count: int) -> torch.UntypedStorage:
        """The storage of a key.

        Args:
            key: in the file.
            count: bytes that it must have.
        """
        if not isinstance(key, str) or count < 0:
            raise ValueError("a storage without a key or with a negative size")
        if key not in self.made:
            self.made[key] = self._make(key, count) if count else memory(0)
        if self.made[key].nbytes() < count:
            raise ValueError(f"storage {key} is too short")
        return self.made[key]

    def _make(self, key: str, count: int) -> torch.UntypedStorage:
        raise ValueError("a tensor where none can be")


class Rebuild:
    """Makes the values of one file within a budget.

    Args:
        storages: of the file.
        size: of the file in bytes.
    """

    def __init__(self, storages: Storages, size: int) -> None:
        self._storages = storages
        self._left = SLACK + 4 * size

    def storage(self, key: str, dtype: torch.dtype, numel: int) -> Storage:
        """A storage of `numel` elements."""
        return Storage(self._storages.find(key, whole(numel) * dtype.itemsize), dtype)

    def tensor(self, storage: Storage, offset: int, size: Any, stride: Any, *rest: Any) -> Tensor:
        """In place of `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`; `rest`: requires_grad, hooks, flags."""
        return self._view(storage, storage.dtype, offset, size, stride, *rest)

    def typed_tensor(
        self, storage: Storage, offset: int, size: Any, stride: Any, grad: bool, hooks: Any, dtype: Any, *rest: Any
    ) -> Tensor:
        """In place of `torch._utils._rebuild_tensor_v3`, for types that no class of storages stands for."""
        if not isinstance(dtype, torch.dtype):
            raise ValueError("a tensor without a type")
        return self._view(storage, dtype, offset, size, stride, grad, hooks, *rest)

    def _view(
        self,
        storage: Storage,
        dtype: torch.dtype,
        offset: int,
        size: Any,
        stride: Any,
        grad: bool = False,
        hooks: Any = None,
        flags: Any = None,
    ) -> Tensor:
        """A tensor within its storage: torch itself would make the storage larger."""
        shape, steps = tuple(map(whole, size)), tuple(map(whole, stride))
        count = prod(shape)
        last = whole(offset) + sum((side - 1) * step for side, step in zip(shape, steps, strict=True))
        if count and (last + 1) * dtype.itemsize > storage.memory.nbytes():
            raise ValueError("a tensor outside its storage")
        self._left -= count * dtype.itemsize
        if self._left < 0:
            raise ValueError("its tensors are much larger than the file")
        if hooks or flags:
            raise ValueError("a tensor with hooks or flags")
        tensor = torch.empty(0, dtype=dtype).set_(storage.memory, offset, shape, steps)
        return tensor.requires_grad_(bool(grad))


def parameter(data: Tensor, grad: bool = True, hooks: Any = None) -> nn.Parameter:
    """In place of `torch._utils._rebuild_parameter`."""
    if not isinstance(data, Tensor) or hooks:
        raise ValueError("a parameter without a tensor, or with hooks")
    return nn.Parameter(data.detach(), requires_grad=bool(grad))


def encoded(text: str, encoding: str = "latin1") -> bytes:
    """In place of `_codecs.encode`: how bytes are written in pickles that Python 2 can read."""
    if encoding != "latin1":
        raise ValueError(f"bytes in the encoding {encoding!r:.40}")
    return text.encode("latin1")


def plain_dtype(name: str, *_rest: Any) -> np.dtype[Any]:
    """In place of `numpy.dtype`."""
    if not isinstance(name, str) or PLAIN.fullmatch(name) is None:
        raise ValueError(f"an array of {name!r:.40}")
    return np.dtype(name)


def set_dtype(dtype: np.dtype[Any], state: Any) -> None:
    """Check the state of a dtype; `np.dtype` has made what it says."""
    if state[1] not in ("<", "|", "=") or state[2:5] != (None, None, None):
        raise ValueError("an array of another byte order, or of records")


def empty_array(_kind: Any, _shape: Any, _code: Any) -> np.ndarray[Any, Any]:
    """In place of `numpy.core.multiarray._reconstruct`; `set_array` fills it."""
    return np.empty(0, np.uint8)


def set_array(array: np.ndarray[Any, Any], state: Any) -> None:
    """Fill an array.

    Args:
        array: as `empty_array` made it.
        state: version, shape, dtype, Fortran order, bytes.
    """
    version, shape, dtype, fortran, content = state
    sides = tuple(map(whole, shape))
    if not isinstance(dtype, np.dtype) or not isinstance(content, bytes):
        raise ValueError("an array without numbers")
    if prod(sides) * dtype.itemsize != len(content):
        raise ValueError("an array of another size than its bytes")
    filled: Any = (version, sides, dtype, bool(fortran), content)
    array.__setstate__(filled)


def scalar(dtype: np.dtype[Any], content: bytes) -> Any:
    """In place of `numpy.core.multiarray.scalar`."""
    if not isinstance(dtype, np.dtype) or not isinstance(content, bytes) or len(content) != dtype.itemsize:
        raise ValueError("a number without its bytes")
    return np.frombuffer(content, dtype)[0]


def pairs(*given: Any) -> OrderedDict[Any, Any]:
    """In place of `collections.OrderedDict`, whose items follow."""
    if given:
        raise ValueError("an OrderedDict that is made of another object")
    return OrderedDict()


def counts(given: Any = ()) -> dict[Any, Any]:
    """A dictionary in place of `collections.Counter`."""
    if given and not isinstance(given, dict):
        raise ValueError("a Counter that is made of another object")
    return dict(given)


KEYS = (str, int, bool, bytes, type(None))
"""Types of keys and of members of sets. Others can take endless time to hash: tuples of tuples of tuples."""


def members(values: Iterable[Any] = (), kind: Callable[[list[Any]], Any] = set) -> Any:
    """In place of `set`; also checks the keys of a dictionary.

    Raises:
        ValueError: one is not of `KEYS`, or is a number of which many can have one hash.
    """
    checked = list(values)
    if not all(type(value) in KEYS for value in checked):
        raise ValueError("a key that is neither text nor a number")
    if any(type(value) is int and abs(value) >= 1 << 60 for value in checked):
        raise ValueError("a key that is too large a number")
    return kind(checked)


def device(kind: str, index: int | None = None) -> str:
    """Text in place of `torch.device`."""
    return str(kind) if index is None else f"{kind}:{index}"


def posix(*parts: str) -> str:
    """Text in place of a path."""
    return str(PurePosixPath(*parts))


def windows(*parts: str) -> str:
    """Text in place of a path of Windows."""
    return str(PureWindowsPath(*parts))


def whole(number: Any) -> int:
    """A number of elements.

    Raises:
        ValueError: it is not a whole number from 0 on.
    """
    if type(number) is not int or not 0 <= number < 1 << 62:
        raise ValueError("a size that is not a number from 0 on")
    return number
