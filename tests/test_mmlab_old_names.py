"""Names from before OpenMMLab renamed its configurations: they mean today's, as the addresses of the weights show."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from common.mmlab.options.catalogue import _all_files, config_files, find_config

WRONG_IN_THE_INDEX = {
    # address of the weights of one model beside the name of another
    "bisenetv1_r101-d32_lr5e-3_4x4_512x512_160k_coco-stuff164k",
    "deeplabv3plus_r101-d16-mg124_512x1024_40k_cityscapes",
    "deeplabv3plus_r101-d8_480x480_40k_pascal_context",
    "deeplabv3plus_r101-d8_480x480_80k_pascal_context",
    "deeplabv3plus_r101-d8_512x512_80k_ade20k",
    "emanet_r50-d8_512x1024_80k_cityscapes",
    "fastfcn_r50-d32_jpu_aspp_4x4_512x1024_80k_cityscapes",
    "fastfcn_r50-d32_jpu_enc_4x4_512x1024_80k_cityscapes",
    "fastfcn_r50-d32_jpu_psp_4x4_512x1024_80k_cityscapes",
    "ocrnet_hr18_512x512_160k_ade20k",
    "ocrnet_hr18s_512x512_160k_ade20k",
    "pspnet_r50-d32_512x1024_80k_cityscapes",
    "twins_svt-l_uperhead_8x2_512x512_160k_ade20k",
}


def old_names(package: str) -> dict[str, set[str]]:
    """Today's keys by the names that the addresses of published weights have, from the index of the package."""
    key, path = next(iter(_all_files(package).items()))
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted(path.parents[key.count("/")].rglob("metafile.y*ml")):
        index = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        for model in index["Models"] if isinstance(index, dict) else index:
            folder = str(model.get("Weights") or "").rpartition("/")[0].rpartition("/")[2]
            if folder:
                found[folder].add(model["Config"].removeprefix("configs/").replace("%2B", "+"))
    return dict(found)


@pytest.mark.parametrize(("package", "at_least"), [("mmdet", 170), ("mmseg", 560)])
def test_a_name_from_the_address_of_weights_means_the_configuration_of_the_index(
    package: str, at_least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.mmlab.options.catalogue._nearest", lambda *_: [])  # of hundreds of names: seconds
    resolved, other = 0, {}
    for name, keys in old_names(package).items():
        try:
            key = find_config(name, package, {})
        except ValueError:
            continue
        resolved += 1
        if key not in keys:
            other[name] = key
    assert set(other) <= WRONG_IN_THE_INDEX
    assert resolved >= at_least


@pytest.mark.parametrize(
    ("package", "old", "today"),
    [
        # the batch
        ("mmdet", "ssd/ssdlite_mobilenetv2_scratch_600e_coco.py", "ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py"),
        ("mmdet", "configs/yolox/yolox_m_8x8_300e_coco.py", "yolox/yolox_m_8xb8-300e_coco.py"),
        ("mmdet", "retinanet_r18_fpn_1x8_1x_coco", "retinanet/retinanet_r18_fpn_1xb8-1x_coco.py"),
        ("mmseg", "fastfcn_r50-d32_jpu_psp_512x1024_80k_cityscapes", "fastfcn_r50-d32_jpu_psp_4xb2-80k"),
        ("mmseg", "fastfcn_r50-d32_jpu_psp_4x4_512x1024_80k_cityscapes", "fastfcn_r50-d32_jpu_psp_4xb4-80k"),
        ("mmseg", "ocrnet_r101-d8_512x1024_40k_b16_cityscapes", "ocrnet/ocrnet_r101-d8_8xb2-40k"),
        # several scales
        ("mmdet", "gfl_r50_fpn_mstrain_2x_coco", "gfl/gfl_r50_fpn_ms-2x_coco.py"),
        (
            "mmdet",
            "fcos_x101_64x4d_fpn_gn-head_mstrain_640-800_2x_coco",
            "fcos/fcos_x101-64x4d_fpn_gn-head_ms-640-800-2x_coco.py",
        ),
        # the order of the words
        ("mmdet", "sabl_retinanet_r101_fpn_gn_2x_ms_640_800_coco", "sabl/sabl-retinanet_r101-gn_fpn_ms-640-800-2x"),
        ("mmseg", "pspnet_r50-d8_512x512_80k_ade20k", "pspnet/pspnet_r50-d8_4xb4-80k_ade20k-512x512.py"),
        ("mmseg", "unet/pspnet_unet_s5-d16_64x64_40k_drive.py", "unet/unet-s5-d16_pspnet_4xb4-40k_drive-64x64.py"),
        # other words
        ("mmdet", "faster_rcnn_r50_fpn_fp16_1x_coco", "faster_rcnn/faster-rcnn_r50_fpn_amp-1x_coco.py"),
        ("mmseg", "fcn_m-v2-d8_512x512_160k_ade20k", "mobilenet_v2/mobilenet-v2-d8_fcn_4xb4-160k_ade20k-512x512.py"),
        (
            "mmseg",
            "upernet_swin_tiny_patch4_window7_512x512_160k_ade20k_pretrain_224x224_1K",
            "swin/swin-tiny-patch4-window7-in1k-pre_upernet_8xb2-160k_ade20k-512x512.py",
        ),
        ("mmrotate", "rotated_retinanet_obb_r50_fpn_1x_dota_le90", "rotated-retinanet-rbox-le90_r50_fpn_1x_dota.py"),
        # the seed document's addresses of mmyolo
        ("mmyolo", "yolov8/yolov8_n_syncbn_8xb16-500e_coco.py", "yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py"),
        ("mmyolo", "yolox_tiny_8xb8-300e_coco", "yolox/yolox_tiny_fast_8xb8-300e_coco.py"),
    ],
)
def test_an_old_name_means_one_configuration_of_today(package: str, old: str, today: str) -> None:
    key = find_config(old, package, {})
    assert today in key
    assert key in config_files(package)


@pytest.mark.parametrize(
    ("package", "old", "words"),
    [
        (
            "mmdet",
            "mask_rcnn_r50_fpn_mstrain-poly_3x_coco",
            ["mask-rcnn_r50_fpn_ms-poly-3x_coco.py today", "masks", "nearest: "],
        ),
        ("mmdet", "lad_r101_paa_r50_fpn_coco_1x", ["today", "another model"]),
        ("mmseg", "setr_vit-l_mla_160k_ade20k_512x512_16x4", ["may be", "setr_vit-l-mla_8xb1", "setr_vit-l_mla_8xb2"]),
        ("mmdet", "rfnext_search_mask_rcnn_pvtv2-b0_fpn_1x_coco", ["is not a known configuration", "nearest: "]),
        (
            "mmseg",
            "pspnet_r50-d8_512x1024_80k_dark",
            ["is not a known configuration", "nearest: "],
        ),
    ],
)
def test_an_old_name_that_means_none_or_several_is_refused(package: str, old: str, words: list[str]) -> None:
    with pytest.raises(ValueError, match=re.escape(Path(old).stem)) as raised:
        find_config(old, package, {})
    assert all(word in str(raised.value) for word in words)


def test_a_folder_that_is_given_must_be_that_of_the_configuration() -> None:
    assert find_config("gfl/gfl_r50_fpn_mstrain_2x_coco.py", "mmdet", {}) == "gfl/gfl_r50_fpn_ms-2x_coco.py"
    for folder in ("atss", "/app/configs/gfl", "../gfl"):
        with pytest.raises(ValueError, match="is not a known configuration"):
            find_config(f"{folder}/gfl_r50_fpn_mstrain_2x_coco.py", "mmdet", {})


def test_a_name_of_today_is_never_taken_for_an_old_one() -> None:
    for package in ("mmdet", "mmseg", "mmrotate", "mmyolo"):
        for key in config_files(package):
            assert find_config(key, package, {}) == key
