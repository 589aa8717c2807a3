"""Weights files of OpenMMLab: ours and those of others are read, what is no weights file is refused."""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch import nn

from common.errors import ModelError
from common.mmlab.fit.config import load_config
from common.mmlab.fit.stored_config import USED
from common.mmlab.model.checkpoint import Weights, load_all_into, load_into, read_weights, write_weights
from common.mmlab.patches.compat import prepare

NAMES = ("disc", "日本")


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    prepare("mmyolo")


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))


def weights(state: dict[str, torch.Tensor]) -> Weights:
    return Weights(Path("best.pth"), state, None, (), "")


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    config = load_config("mmyolo", "yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py")
    state = model().state_dict()
    write_weights(tmp_path / "best.pth", state, config=config, class_names=NAMES, model="yolov8_n.py")
    read = read_weights(tmp_path / "best.pth")
    assert read.config.to_dict() == {name: config.to_dict()[name] for name in USED if name in config}
    assert (read.class_names, read.model) == (NAMES, "yolov8_n.py")
    assert {name: tensor.tolist() for name, tensor in read.state_dict.items()} == {
        name: tensor.tolist() for name, tensor in state.items()
    }
    assert [path.name for path in tmp_path.iterdir()] == ["best.pth"]


def test_our_files_need_no_trust_and_have_the_keys_of_mmengine(tmp_path: Path) -> None:
    config = Config({"model": {"type": "YOLOX"}})
    write_weights(tmp_path / "best.pth", model().state_dict(), config=config, class_names=NAMES, model="")
    content = torch.load(tmp_path / "best.pth", weights_only=True)
    assert content["meta"]["dataset_meta"]["classes"] == list(NAMES)
    assert Config.fromstring(content["meta"]["cfg"], ".py").model.type == "YOLOX"
    assert content["meta"]["ymir_config"] == {"model": {"type": "YOLOX"}}


def test_a_file_of_an_earlier_image_has_its_configuration_as_text_only(tmp_path: Path) -> None:
    config = load_config("mmyolo", "yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py")
    meta = {"cfg": config.pretty_text, "dataset_meta": {"classes": list(NAMES)}, "ymir_model": "yolov8_n.py"}
    path = saved(tmp_path / "best.pth", {"state_dict": model().state_dict(), "meta": meta})
    assert read_weights(path).config.model.to_dict() == config.model.to_dict()


def test_a_checkpoint_of_mmengine_is_read(tmp_path: Path) -> None:
    """With the curves of its training, and the averaged model first."""
    from mmengine.logging import HistoryBuffer

    curve = HistoryBuffer()
    curve.update(0.1)
    meta = {
        "cfg": "model = dict(type='YOLOX')\n",
        "dataset_meta": {"CLASSES": NAMES, "palette": [(1, 2, 3)]},
        "seed": 1,
    }
    content = {
        "meta": meta,
        "state_dict": OrderedDict({"module.average": torch.ones(1)}),
        "ema_state_dict": {"module.last": torch.ones(1)},
        "message_hub": {"log_scalars": {"loss": curve}},
        "optimizer": {"state": {}},
    }
    read = read_weights(saved(tmp_path / "epoch_1.pth", content))
    assert list(read.state_dict) == ["average"]
    assert read.class_names == NAMES
    assert read.config.model.type == "YOLOX"
    assert read.model == ""


def test_class_names_of_the_time_before_mmengine_are_read(tmp_path: Path) -> None:
    content = {"meta": {"CLASSES": ("disc",)}, "state_dict": {"a": torch.ones(1)}}
    assert read_weights(saved(tmp_path / "a.pth", content)).class_names == ("disc",)
    content["meta"]["CLASSES"] = "disc"
    assert read_weights(saved(tmp_path / "a.pth", content)).class_names == ("disc",)


def test_a_bare_state_dict_has_no_configuration(tmp_path: Path) -> None:
    read = read_weights(saved(tmp_path / "a.pth", model().state_dict()), [tmp_path / "a.pth"])
    assert read.config is None
    assert len(read.state_dict) == 7


def test_a_configuration_beside_the_weights_is_read_when_they_have_none(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pth", {"state_dict": {"a": torch.ones(1)}, "meta": {}})
    (tmp_path / "config.py").write_text("model = dict(type='mmdet.YOLOX')\ncustom_hooks = [dict(type='Gone')]\n")
    read = read_weights(path, [path, tmp_path / "config.py"])
    assert read.config.to_dict() == {"model": {"type": "mmdet.YOLOX"}}  # hooks and the like are not used


@pytest.mark.parametrize("text", ["_base_ = ['./gone.py']\n", "model = dict(\n", "model = 1 / 0\n"])
def test_a_configuration_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    path = saved(tmp_path / "a.pth", {"state_dict": {"a": torch.ones(1)}})
    (tmp_path / "config.py").write_text(text)
    with pytest.raises(ModelError, match=r"config\.py: its configuration cannot be read: .+"):
        read_weights(path, [tmp_path / "config.py"])
    saved(path, {"state_dict": {"a": torch.ones(1)}, "meta": {"cfg": text}})
    with pytest.raises(ModelError, match=r"a\.pth: its configuration cannot be read: .+"):
        read_weights(path)


@pytest.mark.parametrize("content", [b"", b"no weights", b"\x80\x04no pickle", b"PK\x03\x04no archive"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.pth: cannot be loaded: .+"):
        read_weights(path)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pth", model().state_dict())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match=r"a\.pth: cannot be loaded"):
        read_weights(path)


@pytest.mark.parametrize(("content", "found"), [({"epoch": 1}, "found epoch"), ({}, "found nothing"), ([1], "list")])
def test_a_file_without_tensors_is_refused(tmp_path: Path, content: Any, found: str) -> None:
    with pytest.raises(ModelError, match=rf"a\.pth: not a checkpoint: .*{found}"):
        read_weights(saved(tmp_path / "a.pth", content))


def test_objects_in_a_file_are_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"a\.pth: refused: it would run torch\.nn\.modules\.container\.Sequential"):
        read_weights(saved(tmp_path / "a.pth", {"model": model()}))
    (tmp_path / "b.pth").write_bytes(pickle.dumps({"path": tmp_path}, protocol=2))
    with pytest.raises(ModelError, match=r"b\.pth: cannot be loaded"):
        read_weights(tmp_path / "b.pth")


def test_tensors_of_equal_name_and_shape_are_taken(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    network = model()
    load_into(
        network, weights({"0.weight": torch.ones(4, 3, 1, 1), "0.bias": torch.ones(5), "2.weight": torch.ones(1)})
    )
    assert network[0].weight.eq(1).all()
    assert not network[0].bias.eq(1).any()
    assert "1 of 7 tensors taken from best.pth" in caplog.text
    assert "in the file only: 2.weight" in caplog.text


def test_weights_of_which_nothing_fits_are_refused() -> None:
    with pytest.raises(ModelError, match=r"best\.pth: none of its 2 tensors fits the model"):
        load_into(model(), weights({"0.weight": torch.ones(4), "a": torch.ones(1)}))


def test_a_complete_model_needs_every_tensor_that_a_prediction_depends_on() -> None:
    state = {name: tensor for name, tensor in model().state_dict().items() if "num_batches" not in name}
    load_all_into(model(), weights(state))
    state["0.bias"] = torch.ones(5)
    del state["1.running_mean"]
    with pytest.raises(ModelError, match=r"2 tensors are missing or of another shape: 0\.bias, 1\.running_mean"):
        load_all_into(model(), weights(state))
