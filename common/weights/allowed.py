"""The names that a pickle may use, and what each may become. See `common.weights.pickles`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from common.weights import rebuild

Classes = Callable[[str, str], type | None]
"""The class that a file may hold objects of, by module and name as the file has them; None for all others."""


class RefusedError(Exception):
    """The file would run something, or is a kind of file that may not be read."""

    @classmethod
    def would_run(cls, name: str) -> "RefusedError":
        """The refusal of one name."""
        return cls(f"it would run {name[:200]}; a model file may hold data only")


class Shell(nn.Module):
    """A layer of a class that is not here: its tensors and attributes, without a forward pass."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a pickle and what may be made of it. As a value it is inert: it cannot be called.

    Attributes:
        text: the full name.
        call: makes the value that calling it stands for; None if it must not be called.
        kind: the class whose objects it may make; None if there is none.
        dtype: of the elements, if it is a class of storages.
    """

    text: str
    call: Callable[..., Any] | None = None
    kind: type | None = None
    dtype: torch.dtype | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Classes that the caller of `pickles.load` lets a file hold objects of, and beginnings of names of shells."""

    classes: tuple[Classes, ...] = ()
    shells: tuple[str, ...] = ()

    def find(self, module: str, name: str) -> type | None:
        """The class of a name, made for it where it becomes a shell; None where it is not allowed."""
        for classes in self.classes:
            kind = classes(module, name)
            if kind is not None:
                return kind
        if f"{module}.{name}".startswith(self.shells):
            return type(name, (Shell,), {"__module__": module, "__qualname__": name})
        return None


def layers_of(*packages: str) -> Classes:
    """Layers (`torch.nn.Module`) that modules of `packages` define. The modules must have been imported."""

    def inside(module: str) -> bool:
        return any(module == package or module.startswith(f"{package}.") for package in packages)

    def find(module: str, name: str) -> type | None:
        found = vars(sys.modules[module]).get(name) if inside(module) and module in sys.modules else None
        return found if isinstance(found, type) and issubclass(found, nn.Module) and inside(found.__module__) else None

    return find


STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "UntypedStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
}

NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
PATHS = ("pathlib", "pathlib._local")

CALLS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": rebuild.pairs,
    "collections.Counter": rebuild.counts,
    "builtins.set": rebuild.members,
    "builtins.frozenset": rebuild.members,
    "builtins.complex": complex,
    "_codecs.encode": rebuild.encoded,
    "torch.Size": torch.Size,
    "torch.device": rebuild.device,
    "torch._utils._rebuild_parameter": rebuild.parameter,
    "numpy.dtype": rebuild.plain_dtype,
    "numpy.ndarray": rebuild.empty_array,
    **{f"{module}._reconstruct": rebuild.empty_array for module in NUMPY},
    **{f"{module}.scalar": rebuild.scalar for module in NUMPY},
    **{f"{module}.{pure}PosixPath": rebuild.posix for module in PATHS for pure in ("", "Pure")},
    **{f"{module}.{pure}WindowsPath": rebuild.windows for module in PATHS for pure in ("", "Pure")},
}
"""Names that a pickle may call, one by one, and what is called in their place. Tensors: see `Unpickler`."""


def plain(module: str, name: str) -> Any:
    """Meaning of a name in every file: a type of numbers, a `Name`, or None."""
    text = f"{module}.{name}"
    if text in CALLS:
        return Name(text, call=CALLS[text])
    if module == "torch" and isinstance(vars(torch).get(name), torch.dtype):
        return vars(torch)[name]
    if module in ("torch", "torch.cuda", "torch.storage") and name in STORAGES:
        return Name(text, dtype=STORAGES[name])
    return None
