"""Model files for the OpenMMLab images that try to run something: refused, with the reason, and nothing is run."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch import nn

from common.errors import ConfigError, ModelError
from common.mmlab.fit.config import load_config, merge_options
from common.mmlab.fit.stored_config import read_stored, stored
from common.mmlab.model.checkpoint import read_weights
from common.mmlab.patches.compat import prepare

KEYS = (
    ("mmyolo", "yolov5/yolov5_n-v61_syncbn_fast_8xb16-300e_coco.py"),
    ("mmyolo", "ppyoloe/ppyoloe_plus_s_fast_8xb8-80e_coco.py"),
    ("mmyolo", "rtmdet/rtmdet_tiny_syncbn_fast_8xb32-300e_coco.py"),
    ("mmdet", "yolox/yolox_tiny_8xb8-300e_coco.py"),
    ("mmdet", "faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py"),
    ("mmdet", "cascade_rpn/cascade-rpn_faster-rcnn_r50-caffe_fpn_1x_coco.py"),
    ("mmdet", "dcnv2/faster-rcnn_r50_fpn_mdpool_1x_coco.py"),
    ("mmdet", "fpg/retinanet_r50_fpg-chn128_crop640_50e_coco.py"),
    ("mmdet", "dino/dino-4scale_r50_8xb2-12e_coco.py"),
    ("mmrotate", "rotated_rtmdet/rotated_rtmdet_tiny-3x-dota.py"),
    ("mmseg", "hrnet/fcn_hr18s_4xb2-40k_cityscapes-512x1024.py"),
    ("mmseg", "fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024.py"),
)


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    for package in ("mmyolo", "mmrotate", "mmseg"):
        prepare(package)


class Runs:
    """Makes a pickle that runs a command."""

    def __init__(self, marker: Path) -> None:
        self._command = f"touch {marker}"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self._command,)


def saved(path: Path, **meta: Any) -> Path:
    torch.save({"state_dict": {"a": torch.ones(1)}, "meta": meta}, path)
    return path


@pytest.mark.parametrize(("package", "key"), KEYS)
def test_configurations_of_the_packages_pass_as_data_and_as_text(package: str, key: str) -> None:
    config = load_config(package, key)
    for content in (stored(config), config.pretty_text):
        found = read_stored(content)
        assert found.val_dataloader.to_dict() == config.val_dataloader.to_dict()
        assert found.model.type == config.model.type


@pytest.mark.parametrize("place", ["state_dict", "meta", "optimizer", "message_hub"])
def test_a_pickle_that_runs_something_is_refused_by_name(tmp_path: Path, place: str) -> None:
    marker, path = tmp_path / "marker", tmp_path / "best.pth"
    torch.save({"state_dict": {"a": torch.ones(1)}} | {place: Runs(marker)}, path)
    with pytest.raises(ModelError, match=r"best\.pth: refused: it would run posix\.system; a model file may hold data"):
        read_weights(path)
    from mmengine.runner import load_checkpoint

    with pytest.raises(ModelError, match=r"posix\.system"):  # what mmengine reads by itself: to resume, to initialise
        load_checkpoint(nn.Identity(), str(path), map_location="cpu")
    path.write_bytes(pickle.dumps(Runs(marker)))
    with pytest.raises(ModelError, match=r"posix\.system"):
        read_weights(path)
    assert not marker.exists()


CODE = {
    "an import": "import pathlib\npathlib.Path({marker!r}).touch()",
    "open": "open({marker!r}, 'w')",
    "an argument": "model = dict(type='YOLOX', a=open({marker!r}, 'w'))",
    "a base": "_base_ = ['{base}']",
    "a base as text": "_base_ = '{base}'",
    "an address": "_base_ = 'http://127.0.0.1:1/a.py'",
    "custom imports": "custom_imports = dict(imports=['evil'], allow_failed_imports=True)",
    "a lambda": "model = dict(type=lambda: open({marker!r}, 'w'))",
    "an f-string": "model = dict(type=f'{{open({marker!r})}}')",
    "a type with a path": "model = dict(type='pathlib.Path.touch', self={marker!r})",
    "a module as type": "model = dict(type='evil')",
    "a module as scope": "model = dict(type='YOLOX', _scope_='evil')",
    "a scoped module": "model = dict(type='evil.YOLOX')",
    "a default scope": "default_scope = 'evil'",
    "NMS that is evaluated": "model = dict(type='YOLOX', test_cfg=dict(nms=dict(type=\"open({marker!r}, 'w')\")))",
    "a teacher": "model = dict(type='KnowledgeDistillationSingleStageDetector', teacher_config='{base}')",
}


@pytest.mark.parametrize("kind", CODE)
def test_a_configuration_that_runs_something_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    marker, base = tmp_path / "marker", tmp_path / "base.py"
    base.write_text(f"open({str(marker)!r}, 'w')\n")
    (tmp_path / "evil").mkdir()
    for name in ("__init__", "registry"):
        (tmp_path / "evil" / f"{name}.py").write_text(base.read_text())
    monkeypatch.syspath_prepend(str(tmp_path))
    code = CODE[kind].replace("{marker!r}", repr(str(marker))).replace("{base}", str(base))
    text = code if kind.startswith(("an argument", "a lambda", "an f-")) or "model" in code else f"{code}\nmodel = {{}}"
    path = saved(tmp_path / "best.pth", cfg=text)
    with pytest.raises(ModelError, match=r"best\.pth: its configuration cannot be read: .+"):
        read_weights(path)
    (tmp_path / "config.py").write_text(text)
    with pytest.raises(ModelError, match=r"config\.py: its configuration cannot be read: .+"):
        read_weights(saved(tmp_path / "bare.pth"), [tmp_path / "config.py"])
    assert not marker.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"model": {"type": "os.system", "command": "x"}}, "model.type: 'os.system' is not in OpenMMLab's registries"),
        ({"model": {"type": "YOLOX", "a": [{"type": "eval"}]}}, "model.a.0.type: 'eval' is not in"),
        ({"model": {"type": ["YOLOX"]}}, "model.type: ['YOLOX'] is not the name of a type"),
        ({"model": {"type": "YOLOX", "a": torch.ones(1)}}, "model.a: Tensor is not a value"),
        ({"model": {"type": "YOLOX", (1, 2): 3}}, "model: (1, 2) is not a key"),
        ({"model": {"_scope_": "evil"}}, "model._scope_: 'evil' is not a package of OpenMMLab"),
        ({"_base_": "../../x.py"}, "_base_: '../../x.py' would import modules or read other files"),
        ({"custom_imports": {"imports": ["x"]}}, "custom_imports: {'imports': ['x']} would import"),
        ([1], "expected a dictionary or text, found list"),
    ],
)
def test_data_that_are_no_configuration_are_refused_with_the_key(content: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r".+") as raised:
        read_stored(content)
    assert words in str(raised.value)


def test_a_configuration_that_holds_itself_or_doubles_at_each_step_is_refused() -> None:
    endless: dict[str, Any] = {"type": "YOLOX"}
    endless["a"] = endless
    doubled: list[Any] = []
    for _ in range(60):
        doubled = [doubled, doubled]
    for model in (endless, {"type": "YOLOX", "a": doubled}):
        with pytest.raises(ValueError, match="more than 100000 values, or nested too deeply"):
            read_stored({"model": model})


def test_files_to_start_from_are_dropped() -> None:
    init = {"type": "Pretrained", "checkpoint": "torchvision://resnet50"}
    found = read_stored(
        {"model": {"type": "YOLOX", "backbone": {"type": "ResNet", "init_cfg": init}, "pretrained": "x"}}
    )
    assert found.model.to_dict() == {
        "type": "YOLOX",
        "backbone": {"type": "ResNet"},
    }


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("default_hooks.x.type", "os.system", "'os.system' is not in OpenMMLab's registries"),
        ("model.type", "builtins.eval", "is not in OpenMMLab's registries"),
        ("model._scope_", "evil", "is not a package of OpenMMLab"),
        ("model.test_cfg.nms.type", "open('x','w')", "is not in OpenMMLab's registries"),
        ("custom_hooks.0.type", "RFSearchHook", "runs text of its configuration"),
        ("model.backbone.init_cfg.checkpoint", "http://127.0.0.1/x.pth", "a task does not download"),
        ("model.backbone.init_cfg.checkpoint", "torchvision://resnet50", "a task does not download"),
    ],
)
def test_cfg_options_name_registered_types_and_download_nothing(name: str, value: str, words: str) -> None:
    config = Config({"model": {"type": "YOLOX", "backbone": {}}, "default_hooks": {}, "custom_hooks": [{}]})
    with pytest.raises(ConfigError, match="cfg_options: ") as raised:
        merge_options(config, {name: value})
    assert words in str(raised.value)
    assert raised.value.code == 300001


def test_cfg_options_may_change_a_type_to_another_registered_one() -> None:
    config = load_config(*KEYS[3])
    merge_options(config, {"optim_wrapper.optimizer.type": "AdamW", "model.test_cfg.nms.type": "soft_nms"})
    assert config.optim_wrapper.optimizer.type == "AdamW"
