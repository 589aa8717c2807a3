"""The machine that reads a pickle and can only make data. See `common.weights.pickles`."""

import pickle
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import OrderedDict
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, ClassVar

import numpy as np
from torch import nn

from common.weights import rebuild
from common.weights.allowed import Allowed, Name, RefusedError, plain
from common.weights.rebuild import Rebuild, Storage

WORK = 20_000_000
"""Steps of the machine, and elements that a step copies, for one pickle."""


class Method:
    """Stands for a function of a class that a file holds as an attribute. The attribute is left out."""


METHOD = Method()


class Counted:
    """The bytes of a pickle. Each read costs."""

    def __init__(self, file: BytesIO, spend: Callable[[], None]) -> None:
        self._file = file
        self._spend = spend

    def read(self, count: int) -> bytes:
        """The next bytes."""
        self._spend()
        return self._file.read(count)

    def readline(self) -> bytes:
        """The bytes up to the next end of a line."""
        self._spend()
        return self._file.readline()


_Base: Any = pickle._Unpickler
"""The machine of the standard library, written in Python: its instructions can be replaced."""


class Unpickler(_Base):  # type: ignore[misc]
    """Reads one pickle.

    Attributes:
        objects: of classes that the caller allowed, and shells, in the order in which they were made.

    Raises:
        RefusedError: by `load`, where the pickle would run something.
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]]
    stack: list[Any]
    append: Callable[[Any], None]
    pop_mark: Callable[[], list[Any]]
    read: Callable[[int], bytes]
    readline: Callable[[], bytes]

    def __init__(self, file: BytesIO, allowed: Allowed, make: Rebuild) -> None:
        super().__init__(Counted(file, self.spend), encoding="utf-8", errors="replace")
        self._allowed = allowed
        self._make = make
        self._left = WORK
        self._names: dict[tuple[str, str], Any] = {}
        self._made: set[int] = set()
        self.objects: list[Any] = []
        self._tensors: dict[str, Callable[..., Any]] = {
            "torch._utils._rebuild_tensor": make.tensor,
            "torch._utils._rebuild_tensor_v2": make.tensor,
            "torch._utils._rebuild_tensor_v3": make.typed_tensor,
            "builtins.getattr": _method,
        }

    def spend(self, work: int = 1) -> None:
        """Count work, so that no file can ask for too much of it."""
        self._left -= work
        if self._left < 0:
            raise ValueError("reading it takes too long")

    def find_class(self, module: str, name: str) -> Any:
        """Meaning of a name: a `Name`, or a value such as a dtype. Nothing is imported.

        Args:
            module: as the file has it, perhaps by its name of Python 2.
            name: of the class or function.
        """
        if (module, name) in NAME_MAPPING:
            module, name = NAME_MAPPING[module, name]
        module = IMPORT_MAPPING.get(module, module)
        if (module, name) not in self._names:
            self._names[module, name] = self._resolve(module, name)
        return self._names[module, name]

    def _resolve(self, module: str, name: str) -> Any:
        text = f"{module}.{name}"
        if text in self._tensors:
            return Name(text, call=self._tensors[text])
        value = plain(module, name)
        if value is not None:
            return value
        kind = self._allowed.find(module, name)
        if kind is None:
            raise RefusedError.would_run(text)
        return Name(text, kind=kind)

    def persistent_load(self, pid: Any) -> Storage | Name:
        """The storage that a pickle of torch names; before torch 1.6 also a class, with its source text."""
        if pid[0] == "module" and isinstance(pid[1], Name):
            return pid[1]
        mark, kind, key, _location, numel, *rest = pid
        if mark != "storage" or not isinstance(kind, Name) or kind.dtype is None or any(rest):
            raise ValueError("something else than a storage outside the pickle")
        return self._make.storage(key, kind.dtype, numel)

    def _frame(self) -> None:
        """Skip the header of a frame: its content follows all the same."""
        self.read(8)

    def _reduce(self) -> None:
        """Call a function: one of ours, in place of the one that the pickle names."""
        arguments = self.stack.pop()
        name = self.stack[-1]
        if isinstance(name, Name) and name.kind is not None and arguments == ():
            self.stack[-1] = self._object(name.kind)
            return
        if not isinstance(name, Name) or name.call is None or not isinstance(arguments, tuple):
            raise RefusedError.would_run(_text(name))
        self.spend(_size(arguments))
        self.stack[-1] = name.call(*arguments)

    def _newobj(self) -> None:
        """Make an object of an allowed class, without its constructor."""
        arguments = self.stack.pop()
        name = self.stack[-1]
        if not isinstance(name, Name) or name.kind is None or arguments != ():
            raise RefusedError.would_run(_text(name))
        self.stack[-1] = self._object(name.kind)

    def _object(self, kind: Any) -> Any:
        """An object of an allowed class, without its constructor."""
        made = kind.__new__(kind)
        if isinstance(made, nn.Module):
            nn.Module.__init__(made)
        self.objects.append(made)
        self._made.add(id(made))
        return made

    def _build(self) -> None:
        """Set the state of an object."""
        state = self.stack.pop()
        target = self.stack[-1]
        self.spend(_size(state) if isinstance(state, tuple) else _size((state,)))
        if isinstance(target, OrderedDict):  # a state dict of torch: the versions of its layers
            if isinstance(state, dict) and isinstance(state.get("_metadata"), dict):
                target._metadata = state["_metadata"]  # type: ignore[attr-defined]
        elif isinstance(target, np.dtype):
            rebuild.set_dtype(target, state)
        elif isinstance(target, np.ndarray):
            rebuild.set_array(target, state)
        elif id(target) in self._made:
            _set_attributes(target, state)
        else:
            raise RefusedError(f"it would set the state of {_text(target)}; a model file may hold data only")

    def _inst(self) -> None:
        raise RefusedError.would_run(_text(self.find_class(_line(self), _line(self))))

    def _obj(self) -> None:
        raise RefusedError.would_run(_text(self.pop_mark()[0]))

    def _newobj_ex(self) -> None:
        raise RefusedError.would_run(_text(self.stack[-3]))

    def _other(self) -> None:
        raise RefusedError("it holds instructions that torch.save does not write; a model file may hold data only")

    def _setitems(self) -> None:
        given = self.pop_mark()
        self._add(self.stack[-1], given)

    def _setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._add(self.stack[-1], [key, value])

    def _dict(self) -> None:
        given = self.pop_mark()
        self.append({})
        self._add(self.stack[-1], given)

    def _add(self, target: Any, given: list[Any]) -> None:
        if not isinstance(target, dict):
            raise ValueError("items for something else than a dictionary")
        target.update(zip(rebuild.members(given[::2], list), given[1::2], strict=True))

    def _append(self) -> None:
        value = self.stack.pop()
        self._extend([value])

    def _appends(self) -> None:
        self._extend(self.pop_mark())

    def _extend(self, values: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise ValueError("elements for something else than a list")
        self.stack[-1].extend(values)

    def _additems(self) -> None:
        values = self.pop_mark()
        if type(self.stack[-1]) is not set:
            raise ValueError("members for something else than a set")
        self.stack[-1].update(rebuild.members(values))

    def _frozenset(self) -> None:
        self.append(frozenset(rebuild.members(self.pop_mark())))


Unpickler.dispatch = _Base.dispatch | {
    pickle.FRAME[0]: Unpickler._frame,
    pickle.REDUCE[0]: Unpickler._reduce,
    pickle.NEWOBJ[0]: Unpickler._newobj,
    pickle.BUILD[0]: Unpickler._build,
    pickle.INST[0]: Unpickler._inst,
    pickle.OBJ[0]: Unpickler._obj,
    pickle.NEWOBJ_EX[0]: Unpickler._newobj_ex,
    pickle.SETITEM[0]: Unpickler._setitem,
    pickle.SETITEMS[0]: Unpickler._setitems,
    pickle.DICT[0]: Unpickler._dict,
    pickle.APPEND[0]: Unpickler._append,
    pickle.APPENDS[0]: Unpickler._appends,
    pickle.ADDITEMS[0]: Unpickler._additems,
    pickle.FROZENSET[0]: Unpickler._frozenset,
    **dict.fromkeys(
        (
            code[0]
            for code in (
                pickle.PERSID,
                pickle.EXT1,
                pickle.EXT2,
                pickle.EXT4,
                pickle.BYTEARRAY8,  # reserves memory before it reads
                pickle.NEXT_BUFFER,
                pickle.READONLY_BUFFER,
            )
        ),
        Unpickler._other,
    ),
}


def _line(unpickler: Unpickler) -> str:
    return str(unpickler.readline()[:-1], "utf-8", "replace")


def _text(value: Any) -> str:
    return value.text if isinstance(value, Name) else f"an object ({type(value).__name__})"


def _size(values: Iterable[Any]) -> int:
    """Elements that a copy of the values has at most."""
    return sum(len(value) for value in values if isinstance(value, list | tuple | dict | set | frozenset | str | bytes))


def _method(owner: Any, name: Any) -> Method:
    """In place of `getattr`: ultralytics once kept `Detect.forward` as an attribute of its layers."""
    if not isinstance(owner, Name) or owner.kind is None or not isinstance(name, str) or name.startswith("_"):
        raise RefusedError.would_run("builtins.getattr")
    return METHOD


def _set_attributes(target: Any, state: Any) -> None:
    """Give an object its attributes. Hooks stay empty."""
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ValueError("an object whose state is no dictionary")
    kept = {name: value for name, value in state.items() if "_hooks" not in name and value is not METHOD}
    if isinstance(target, nn.Module):
        target.__setstate__(kept)  # type: ignore[no-untyped-call] # what torch adds to layers of its older versions
    else:
        vars(target).update(kept)
