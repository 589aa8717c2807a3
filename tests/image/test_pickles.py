"""The reader of model files: everything that torch.save writes of data, and nothing that runs."""

import builtins
import functools
import io
import os
import pickle
import zipfile
from argparse import Namespace
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from common.errors import ModelError
from common.weights.pickles import Shell, load, torch_layers

CHECKPOINT = Path(__file__).resolve().parents[3] / "shared" / "data" / "weights" / "yolov5n-coco-v6.pt"
FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "sequence"])


def written(path: Path, content: Any, zipped: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def refusal(path: Path, **allowed: Any) -> str:
    with pytest.raises(ModelError) as raised:
        load(path, **allowed)
    assert raised.value.code == 300004
    assert str(raised.value).startswith(f"{path}: ")
    return str(raised.value)


# what is read


@FORMATS
def test_data_come_back_as_they_were(tmp_path: Path, zipped: bool) -> None:
    content = {
        "text": "é",
        "numbers": [1, 2.5, True, None, -(1 << 40)],
        "bytes": b"\x00\xff",
        "tuple": (1, ("a",)),
        "set": {1, 2},
        "ordered": OrderedDict(a=1),
        "counter": Counter({3: 2}),
        "size": torch.Size((2, 3)),
        "dtype": torch.float16,
    }
    found = load(written(tmp_path / "a.pt", content, zipped))
    assert found == content
    assert type(found["ordered"]) is OrderedDict


@FORMATS
@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
)
def test_tensors_come_back_as_they_were(tmp_path: Path, zipped: bool, dtype: torch.dtype) -> None:
    whole = torch.arange(24).reshape(4, 6).to(dtype)
    content = {"whole": whole, "part": whole[1:3, ::2], "turned": whole.T, "none": whole[:0], "one": whole[1, 1]}
    found = load(written(tmp_path / "a.pt", content, zipped))
    assert all(torch.equal(found[name], tensor) and found[name].dtype == dtype for name, tensor in content.items())
    assert found["part"].data_ptr() != found["whole"].data_ptr()
    assert found["part"].untyped_storage().data_ptr() == found["whole"].untyped_storage().data_ptr()


@FORMATS
def test_a_state_dict_keeps_the_versions_of_its_layers(tmp_path: Path, zipped: bool) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    found = load(written(tmp_path / "a.pt", {"state_dict": model.state_dict()}, zipped))["state_dict"]
    assert found._metadata == model.state_dict()._metadata
    assert all(torch.equal(found[name], tensor) for name, tensor in model.state_dict().items())


@FORMATS
def test_parameters_and_expanded_tensors(tmp_path: Path, zipped: bool) -> None:
    content = [nn.Parameter(torch.ones(2), requires_grad=False), nn.Parameter(torch.ones(2)), torch.ones(1).expand(9)]
    frozen, free, expanded = load(written(tmp_path / "a.pt", content, zipped))
    assert isinstance(frozen, nn.Parameter)
    assert (frozen.requires_grad, free.requires_grad) == (False, True)
    assert expanded.shape == (9,)


@pytest.mark.parametrize("protocol", [2, 4])
def test_arrays_of_numbers(tmp_path: Path, protocol: int) -> None:
    arrays = [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array(["a", "bc"])]
    scalars = [np.float64(0.5), np.int32(-3), np.bool_(True)]
    torch.save([arrays, scalars], tmp_path / "a.pt", pickle_protocol=protocol)
    found = load(tmp_path / "a.pt")
    assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(found[0], arrays, strict=True))
    assert found[1] == scalars


def test_paths_become_text(tmp_path: Path) -> None:
    windows = b"\x80\x02cpathlib\nPureWindowsPath\nX\x03\x00\x00\x00C:\\X\x01\x00\x00\x00a\x86R."
    assert load(written(tmp_path / "a.pt", Path("/in/models"))) == "/in/models"
    assert load(zip_of(tmp_path / "b.pt", windows)) == str(PureWindowsPath("C:\\", "a"))


@FORMATS
def test_layers_of_the_callers_classes_compute_what_they_did(tmp_path: Path, zipped: bool) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.SiLU(), nn.Upsample(scale_factor=2)).eval()
    pixels = torch.rand(1, 3, 8, 8)
    found = load(written(tmp_path / "a.pt", {"model": model}, zipped), classes=[torch_layers])["model"]
    assert torch.equal(found(pixels), model(pixels))


def test_without_the_callers_word_there_are_no_layers(tmp_path: Path) -> None:
    assert "torch.nn.modules.conv.Conv2d" in refusal(written(tmp_path / "a.pt", nn.Conv2d(1, 1, 1)))


def test_objects_of_another_class_get_their_attributes_and_no_constructor(tmp_path: Path) -> None:
    def known(module: str, name: str) -> type | None:
        return SimpleNamespace if (module, name) == ("argparse", "Namespace") else None

    found = load(written(tmp_path / "a.pt", Namespace(epochs=3)), classes=[known])
    assert found == SimpleNamespace(epochs=3)


@pytest.mark.skipif(not CHECKPOINT.is_file(), reason="a checkpoint of the yolov5 repository: ../shared/data is absent")
def test_a_checkpoint_of_the_yolov5_repository_becomes_shells(tmp_path: Path) -> None:
    content = load(CHECKPOINT, classes=[torch_layers], shells=["models.", "utils."])
    model = content["model"]
    assert isinstance(model, Shell)
    assert (type(model).__module__, type(model).__qualname__) == ("models.yolo", "Model")
    assert len(model.state_dict()) in (349, 350)
    assert len(model.names) == 80
    assert "models." in refusal(CHECKPOINT, classes=[torch_layers])


# what is refused


class Runs:
    """Makes a pickle that calls `function(*arguments)`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def zip_of(path: Path, data: bytes, members: dict[str, bytes] | None = None, method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("archive/data.pkl", data)
        for name, content in (members or {}).items():
            archive.writestr(f"archive/{name}", content)
    return path


def sequence_of(path: Path, data: bytes) -> Path:
    head = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    path.write_bytes(b"".join(pickle.dumps(mark, 2) for mark in head) + data + pickle.dumps([], 2))
    return path


def raw(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


CALLS: dict[str, tuple[Callable[[Path], Runs], str]] = {
    "system": (lambda marker: Runs(os.system, f"touch {marker}"), "posix.system"),
    "eval": (lambda marker: Runs(eval, f"open({str(marker)!r}, 'w')"), "builtins.eval"),
    "exec": (lambda marker: Runs(exec, f"open({str(marker)!r}, 'w')"), "builtins.exec"),
    "open": (lambda marker: Runs(open, str(marker), "w"), "io.open"),
    "partial": (lambda marker: Runs(functools.partial, os.system, f"touch {marker}"), "functools.partial"),
    "getattr": (lambda marker: Runs(getattr, "text", "join"), "builtins.getattr"),
    "import": (lambda marker: Runs(builtins.__import__, "os"), "builtins.__import__"),
    "layer": (lambda marker: Runs(nn.Conv2d, 1, 1, 1), "torch.nn.modules.conv.Conv2d"),
    "load": (lambda marker: Runs(torch.load, str(marker)), "torch.serialization.load"),
    "file": (lambda marker: Runs(np.fromfile, str(marker)), "numpy.fromfile"),
    "deep": (lambda marker: Runs(torch.nn.init._no_grad_fill_, torch.ones(1), 1), "torch.nn.init._no_grad_fill_"),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("make", [zip_of, sequence_of, raw])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_refused_by_name_and_not_made(
    tmp_path: Path, call: str, make: Callable[[Path, bytes], Path], protocol: int
) -> None:
    marker = tmp_path / "marker"
    runs, name = CALLS[call]
    if call == "deep" and protocol > 0:
        pytest.skip("once is enough")
    content = {"model": runs(marker)} if call != "deep" else [[[runs(marker)]]]
    data = pickle.dumps(content, protocol)
    message = refusal(make(tmp_path / "a.pt", data), classes=[torch_layers], shells=["models."])
    assert not marker.exists()
    assert "a model file may hold data only" in message
    assert f"it would run {name}" in message or call == "deep"


OPCODES = {
    "INST": b"(S'touch %s'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'touch %s'\no.",
    "REDUCE": b"cos\nsystem\n(S'touch %s'\ntR.",
    "STACK_GLOBAL": b"\x8c\x02os\x8c\x06system\x93(S'touch %s'\ntR.",
    "NEWOBJ_EX": b"cos\nsystem\n(S'touch %s'\nt}\x92.",
    "NEWOBJ": b"cos\nsystem\n(S'touch %s'\nt\x81.",
    "a dotted name": b"\x80\x04\x8c\x05torch\x8c\x09os.system\x93(S'touch %s'\ntR.",
    "a module of the framework": b"ctorch.serialization\nos.system\n(S'touch %s'\ntR.",
    "an extension": b"\x82\x01(S'touch %s'\ntR.",
    "a class below the shells": b"cmodels.yolo\nModel\n(S'touch %s'\ntR.",
    "a layer": b"ctorch.nn.modules.linear\nIdentity\n(S'touch %s'\ntR.",
    "state of a class": b"ctorch.nn.modules.linear\nIdentity\n}S'forward'\nctorch\nSize\nsb.",
    "state of text": b"S'touch %s'\n}b.",
    "a persistent name": b"Ptouch %s\n.",
    "the call of a result": b"ccollections\nOrderedDict\n)R(S'touch %s'\ntR.",
    "a storage as a function": b"ctorch\nFloatStorage\n(S'touch %s'\ntR.",
    "hidden behind a get": b"cos\nsystem\np0\n0g0\n(S'touch %s'\ntR.",
}


@pytest.mark.parametrize("make", [zip_of, sequence_of, raw])
@pytest.mark.parametrize("kind", OPCODES)
def test_each_instruction_that_could_run_something_is_refused(
    tmp_path: Path, kind: str, make: Callable[[Path, bytes], Path]
) -> None:
    marker = tmp_path / "marker"
    data = OPCODES[kind].replace(b"%s", str(marker).encode())
    assert "a model file may hold data only" in refusal(
        make(tmp_path / "a.pt", data), classes=[torch_layers], shells=["models."]
    )
    assert not marker.exists()


def test_hooks_and_functions_do_not_come_with_a_layer(tmp_path: Path) -> None:
    layer = nn.Identity()
    layer.register_forward_hook(print)
    assert "builtins.print" in refusal(written(tmp_path / "a.pt", layer), classes=[torch_layers])
    hooked = nn.Identity()
    hooked._forward_hooks[0] = nn.ReLU()  # callable, and allowed
    found = load(written(tmp_path / "b.pt", hooked), classes=[torch_layers])
    assert not found._forward_hooks


def test_a_class_is_never_a_value(tmp_path: Path) -> None:
    layer = nn.Identity()
    layer.forward = torch.Size  # type: ignore[assignment]
    found = load(written(tmp_path / "a.pt", layer), classes=[torch_layers])
    with pytest.raises(TypeError, match="not callable"):
        found(torch.ones(1))


def test_an_archive_of_torchscript_is_refused(tmp_path: Path) -> None:
    zip_of(tmp_path / "a.pt", pickle.dumps({}, 2), {"constants.pkl": b"", "code/__torch__.py": b""})
    assert "TorchScript" in refusal(tmp_path / "a.pt", classes=[torch_layers])


def test_an_archive_within_a_tar_is_refused(tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(tmp_path / "a.pt", "w") as archive:
        info = tarfile.TarInfo("../marker")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    assert "damaged, or not written by torch.save" in refusal(tmp_path / "a.pt")
    assert not (tmp_path.parent / "marker").exists()


# what is damaged, or made to exhaust the machine


def tensor(size: str, stride: str, offset: str = "I0\n", numel: str = "I4\n") -> bytes:
    storage = b"(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\n" + numel.encode() + b"tQ"
    rest = f"{offset}({size}t({stride}tI00\nNt".encode()
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + b"R."


@pytest.mark.parametrize(
    "data",
    [
        tensor("I5\n", "I1\n"),
        tensor("I4\n", "I1\n", offset="I1\n"),
        tensor("I-4\n", "I1\n"),
        tensor("I4\n", "I-1\n"),
        tensor("I4\n", "I1\n", offset="I-1\n"),
        tensor("I1000000000000\n", "I0\n"),
        tensor("I4\n", "I1\n", numel="I1000000000000\n"),
        tensor("I4\n", "I1\n", numel="I-4\n"),
        tensor("I4611686018427387904\nI4\n", "I0\nI1\n"),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "cannot be loaded" in refusal(zip_of(tmp_path / "a.pt", data, {"data/0": bytes(16)}))
    assert load(zip_of(tmp_path / "b.pt", tensor("I4\n", "I1\n"), {"data/0": bytes(16)})).shape == (4,)


def test_compressed_archives_are_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.pt", b"N.", {"data/0": bytes(1 << 20)}, zipfile.ZIP_DEFLATED)
    assert "compressed" in refusal(path)


def test_tuples_of_tuples_of_tuples_are_no_keys(tmp_path: Path) -> None:
    nested = b"\x80\x02)" + b"2\x86" * 200
    assert "key" in refusal(zip_of(tmp_path / "a.pt", b"\x80\x02}" + nested[2:] + b"K\x01s."))
    assert "key" in refusal(zip_of(tmp_path / "b.pt", b"\x80\x04\x8f(" + nested[2:] + b"\x90."))


def test_copies_of_copies_end(tmp_path: Path) -> None:
    text = b"X" + (1 << 20).to_bytes(4, "little") + b"a" * (1 << 20)
    encode = b"c_codecs\nencode\nq\x00" + text + b"q\x01X\x06\x00\x00\x00latin1q\x020"
    copies = b"h\x00h\x01h\x02\x86R" * 100_000
    assert "too long" in refusal(zip_of(tmp_path / "a.pt", b"\x80\x02(" + encode + copies + b"t."))


@pytest.mark.parametrize("depth", [90, 5000])
def test_layers_that_hold_themselves_or_too_many_are_refused(tmp_path: Path, depth: int) -> None:
    endless = nn.Sequential()
    endless._modules["0"] = endless
    torch.save(endless, tmp_path / "a.pt")
    assert "hold themselves" in refusal(tmp_path / "a.pt", classes=[torch_layers])
    doubled: nn.Module = nn.ReLU()
    for _ in range(depth if depth < 100 else 101):
        doubled = nn.Sequential(OrderedDict(a=doubled, b=doubled))
    torch.save(doubled, tmp_path / "b.pt")
    assert "layers" in refusal(tmp_path / "b.pt", classes=[torch_layers])


def test_layers_hold_layers_and_tensors_only(tmp_path: Path) -> None:
    for name, value in {"_modules": {"a": 1}, "_parameters": {"a": torch.ones(1)}, "_buffers": [1]}.items():
        layer = nn.Identity()
        vars(layer)[name] = value
        torch.save(layer, tmp_path / "a.pt")
        assert name[1:] in refusal(tmp_path / "a.pt", classes=[torch_layers])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no weights", b"\x80", b"\x80\x02.", b"\x80\x02}b."])
def test_other_files_are_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    refusal(raw(tmp_path / "a.pt", content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "a.pt")


@FORMATS
@given(data=st.data())
def test_damaged_files_are_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, zipped: bool, data: st.DataObject
) -> None:
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(3), "b": nn.Identity(), "c": np.ones(2)}, buffer, _use_new_zipfile_serialization=zipped)
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "a.pt"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(ModelError):
        load(path, classes=[torch_layers])
