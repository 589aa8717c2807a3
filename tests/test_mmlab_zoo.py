"""The tables of models and of their published weights, against what OpenMMLab itself says in its packages."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from common.mmlab.options.catalogue import config_files, find_config
from common.weights.zoo import Address
from workbench.images import REPOSITORY, image

SEED_MODELS = (
    *(f"yolov5_{size}" for size in "nsm"),
    *(f"yolov6_{size}" for size in "ntsm"),
    *(f"yolov7_{size}" for size in ("tiny", "l", "x")),
    *(f"yolov8_{size}" for size in "nsm"),
    *(f"yolox_{size}" for size in ("tiny", "s")),
    *(f"rtmdet_{size}" for size in ("tiny", "s", "m", "l")),
    *(f"ppyoloe_plus_{size}" for size in "sm"),
)
"""The 21 rows of mmyolo's seed document."""

OTHER_SERVER = re.compile(r"https://mmassets\.onedl\.ai/(?=mmrotate/v1\.0/|mmsegmentation/v0\.5/)")
"""Where the packages say that the weights of two of them lie, under the same names."""

RETRAINED = "yolox/yolox_s_fast_8xb8-300e_coco.py"
"""OpenMMLab has newer weights of it than the seed document."""


def zoo_of(name: str) -> ModuleType:
    with image(REPOSITORY / name):
        return importlib.import_module("zoo")


MMYOLO, MMDETECTION, MMROTATE, SEGMENTATION = (
    zoo_of(f"{name}-tmi") for name in ("det-mmyolo", "det-mmdetection", "rot-mmrotate", "seg-all-in-one")
)
OPENMMLAB = {
    key: address
    for zoo in (MMYOLO, MMDETECTION, MMROTATE, SEGMENTATION)
    for key, address in zoo.ZOO.addresses.items()
    if "/" in key
}


def listed(package: str, family: str) -> dict[str, str]:
    """Address of the weights by key, from the package's own index of a family of models."""
    folder = next(path.parents[key.count("/")] for key, path in config_files(package).items())
    (file,) = (folder / family).glob("metafile.y*ml")
    text = file.read_text(encoding="utf-8")
    index = yaml.load(text, Loader=yaml.CSafeLoader)
    return {model["Config"].removeprefix("configs/"): model.get("Weights", "") for model in index["Models"]}


def test_every_model_of_the_seed_has_a_configuration_and_weights() -> None:
    for model in SEED_MODELS:
        key = find_config(model, "mmyolo", MMYOLO.MODELS)
        assert key == MMYOLO.MODELS[model]
        assert key in config_files("mmyolo")
        assert Path(key).name.startswith((f"{model}_", f"{model}-v61_"))
        assert key in MMYOLO.ZOO.addresses


@pytest.mark.parametrize("size", ["tiny", "s", "l", "x"])
def test_every_yolox_of_the_seed_has_a_configuration_and_weights_by_both_names(size: str) -> None:
    key = f"yolox/yolox_{size}_8xb8-300e_coco.py"
    for name in (f"configs/yolox/yolox_{size}_8x8_300e_coco.py", f"configs/{key}", f"yolox_{size}"):
        assert find_config(name, "mmdet", MMDETECTION.NAMES) == key
    assert key in MMDETECTION.ZOO.addresses


@pytest.mark.parametrize("size", ["tiny", "s", "m"])
@pytest.mark.parametrize("form", ["", "_ms"])
def test_every_rotated_rtmdet_of_the_seed_has_a_configuration_and_weights(size: str, form: str) -> None:
    key = find_config(f"rtmdet_{size}{form}", "mmrotate", MMROTATE.MODELS)
    assert key == f"rotated_rtmdet/rotated_rtmdet_{size}-3x-dota{form}.py"
    assert key in config_files("mmrotate")
    assert Path(key).stem in MMROTATE.ZOO.addresses[key].url


def test_the_tables_hold_the_seeds_rows_and_the_weights_of_these_alone() -> None:
    assert len(SEED_MODELS) == 21
    assert set(MMYOLO.PUBLISHED) == set(SEED_MODELS)
    assert len(MMYOLO.ZOO.addresses) == 21
    assert len(MMDETECTION.ZOO.addresses) == 4
    assert len(MMROTATE.ZOO.addresses) == 6
    assert sum("/" in key for key in SEGMENTATION.ZOO.addresses) == 10


@pytest.mark.parametrize(
    ("package", "names"),
    [
        ("mmyolo", MMYOLO.MODELS),
        ("mmdet", MMDETECTION.NAMES),
        ("mmrotate", MMROTATE.MODELS),
        ("mmseg", SEGMENTATION.OLD_NAMES),
    ],
)
def test_every_name_means_exactly_one_configuration(package: str, names: dict[str, str]) -> None:
    assert {name: find_config(name, package, names) for name in names} == names


def test_no_two_short_names_mean_the_same() -> None:
    for names in (MMYOLO.MODELS, MMROTATE.MODELS):
        assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("zoo", [MMYOLO, MMDETECTION])
def test_the_addresses_are_those_that_openmmlab_lists_for_these_configurations(zoo: ModuleType) -> None:
    addresses = {key: address.url for key, address in zoo.ZOO.addresses.items() if key != RETRAINED}
    assert addresses == {key: listed(zoo.PACKAGE, key.partition("/")[0])[key] for key in addresses}


@pytest.mark.parametrize(
    ("zoo", "package", "family", "count"),
    [
        (MMROTATE, "mmrotate", "rotated_rtmdet", 6),
        (SEGMENTATION, "mmseg", "fastscnn", 1),
        (SEGMENTATION, "mmseg", "hrnet", 9),
    ],
)
def test_the_addresses_that_openmmlab_lists_at_another_server_are_the_seeds(
    zoo: ModuleType, package: str, family: str, count: int
) -> None:
    addresses = {key: address.url for key, address in zoo.ZOO.addresses.items() if key.startswith(f"{family}/")}
    urls = listed(package, family)
    assert len(addresses) == count
    assert addresses == {key: OTHER_SERVER.sub("https://download.openmmlab.com/", urls[key]) for key in addresses}


@pytest.mark.parametrize(
    ("old", "today"),
    [
        ("fast_scnn_lr0.12_8x4_160k_cityscapes", "fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024.py"),
        ("fcn_hr18s_512x1024_40k_cityscapes", "hrnet/fcn_hr18s_4xb2-40k_cityscapes-512x1024.py"),
        ("fcn_hr18_512x1024_40k_cityscapes", "hrnet/fcn_hr18_4xb2-40k_cityscapes-512x1024.py"),
        ("fcn_hr48_512x1024_40k_cityscapes", "hrnet/fcn_hr48_4xb2-40k_cityscapes-512x1024.py"),
        ("fcn_hr18s_512x1024_80k_cityscapes", "hrnet/fcn_hr18s_4xb2-80k_cityscapes-512x1024.py"),
        ("fcn_hr18_512x1024_80k_cityscapes", "hrnet/fcn_hr18_4xb2-80k_cityscapes-512x1024.py"),
        ("fcn_hr48_512x1024_80k_cityscapes", "hrnet/fcn_hr48_4xb2-80k_cityscapes-512x1024.py"),
        ("fcn_hr18s_512x1024_160k_cityscapes", "hrnet/fcn_hr18s_4xb2-160k_cityscapes-512x1024.py"),
        ("fcn_hr18_512x1024_160k_cityscapes", "hrnet/fcn_hr18_4xb2-160k_cityscapes-512x1024.py"),
        ("fcn_hr48_512x1024_160k_cityscapes", "hrnet/fcn_hr48_4xb2-160k_cityscapes-512x1024.py"),
    ],
)
def test_every_semantic_model_of_the_seed_has_a_configuration_and_weights_by_both_names(old: str, today: str) -> None:
    family = today.partition("/")[0]
    for name in (old, f"configs/{family}/{old}.py", today, Path(today).stem):
        assert find_config(name, "mmseg", SEGMENTATION.OLD_NAMES) == today
    assert SEGMENTATION.ZOO.addresses[today].file_name.startswith(f"{old}_20")  # weights know their old name only


def test_every_detector_of_the_segmentation_image_has_the_weights_of_the_yolov5_image() -> None:
    addresses = zoo_of("det-yolov5-tmi").ZOO.addresses
    for model in SEGMENTATION.DETECTORS:
        assert SEGMENTATION.ZOO.addresses[model] == addresses[model]
        assert addresses[model].url.endswith(f"/v7.0/{model}.pt")


def test_the_retrained_model_has_the_seeds_weights() -> None:
    address = MMYOLO.ZOO.addresses[RETRAINED]
    assert address.file_name == "yolox_s_8xb8-300e_coco_20220917_030738-d7e60cb2.pth"


def test_every_file_has_the_hash_that_its_name_ends_with() -> None:
    assert {key for key, address in OPENMMLAB.items() if len(address.sha256) != 8} == set()
    wrong = {key for key, address in OPENMMLAB.items() if not address.file_name.endswith(f"-{address.sha256}.pth")}
    assert wrong == set()


def test_an_address_of_openmmlab_has_the_experiment_as_its_folder_and_the_hash_of_its_name() -> None:
    address = Address.of_openmmlab("mmyolo/v0/rtmdet", "rtmdet_s_8xb32_20221230_182329-0a8c901a")
    folder = "https://download.openmmlab.com/mmyolo/v0/rtmdet/rtmdet_s_8xb32"
    assert address == Address(f"{folder}/rtmdet_s_8xb32_20221230_182329-0a8c901a.pth", "0a8c901a")


def test_a_name_of_mmrotate_has_no_date() -> None:
    address = Address.of_openmmlab("mmrotate/v1.0/rotated_rtmdet", "rotated_rtmdet_s-3x-dota-11f6ccf5")
    folder = "https://download.openmmlab.com/mmrotate/v1.0/rotated_rtmdet/rotated_rtmdet_s-3x-dota"
    assert address == Address(f"{folder}/rotated_rtmdet_s-3x-dota-11f6ccf5.pth", "11f6ccf5")


@pytest.mark.parametrize("name", ["cspnext-tiny_imagenet_600e", "a_20221230_182329", "a_20221230_182329-0a8c901"])
def test_a_name_without_a_hash_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Address.of_openmmlab("mmyolo/v0", name)
