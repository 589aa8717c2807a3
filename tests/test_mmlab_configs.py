"""Names of OpenMMLab's configurations, found without importing the packages."""

from pathlib import Path

import pytest

from common.mmlab.options.catalogue import config_files, config_path, find_config

TABLE = {
    "yolov8_n": "yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py",
    "yolox/yolox_tiny_8x8_300e_coco.py": "yolox/yolox_tiny_fast_8xb8-300e_coco.py",  # an old name
}
FASTER = "faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of our own with configurations."""
    for key in ("a/one.py", "b/one.py", "b/two_v1.5.py", "_base_/three.py", "b/_base_/four.py"):
        path = tmp_path / "mmfake" / ".mim" / "configs" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    (tmp_path / "mmfake" / "__init__.py").write_text("raise AssertionError('imported')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "mmfake"


def refusal(name: str, package: str) -> str:
    with pytest.raises(ValueError, match=r"nearest|give one") as raised:
        find_config(name, package, TABLE if package == "mmyolo" else {})
    assert repr(name) in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("name", ["yolov8_n", "YOLOv8-n", "yolov8-N", " yolov8_n "])
def test_a_short_name_is_found_however_it_is_spelt(name: str) -> None:
    assert find_config(name, "mmyolo", TABLE) == TABLE["yolov8_n"]


@pytest.mark.parametrize(
    "name",
    [
        FASTER,
        FASTER.removesuffix(".py"),
        f"configs/{FASTER}",
        f"./configs/{FASTER}",
        f"./{FASTER}",
        "configs/faster_rcnn/faster-rcnn_r50_fpn_1x_coco",
        "faster-rcnn_r50_fpn_1x_coco",
        "faster-rcnn_r50_fpn_1x_coco.py",
        "configs/faster_rcnn/faster_rcnn_r50_fpn_1x_coco.py",  # as mmdetection 2 spelt it
    ],
)
def test_a_configuration_is_found_by_its_key_or_its_file_name(name: str) -> None:
    assert find_config(name, "mmdet", {}) == FASTER


@pytest.mark.parametrize(
    "name", ["configs/yolox/yolox_tiny_8x8_300e_coco.py", "yolox/yolox_tiny_8x8_300e_coco", "yolox_tiny_8x8_300e_coco"]
)
def test_an_old_name_of_the_table_is_found_in_the_same_forms(name: str) -> None:
    assert find_config(name, "mmyolo", TABLE) == "yolox/yolox_tiny_fast_8xb8-300e_coco.py"


@pytest.mark.parametrize(
    ("name", "package", "near"),
    [
        ("yolov9_n", "mmyolo", "yolov8_n"),
        ("yolox_tinny_8x8_300e_coco", "mmyolo", "yolox_tiny_8x8_300e_coco"),
        ("faster_rcnn", "mmdet", "faster-rcnn_r50_fpn_1x_coco"),  # the beginning of many names
        ("retinanet", "mmdet", "retinanet_r50_fpn_1x_coco"),
        ("fasterrcnn_r50_fpn_1x_coco", "mmdet", "faster-rcnn_r50_fpn_1x_coco"),
        ("", "mmdet", ""),
        ("/app/configs/" + FASTER, "mmdet", "faster-rcnn_r50_fpn_1x_coco"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, package: str, near: str) -> None:
    message = refusal(name, package)
    assert "is not a known configuration" in message
    assert near in message.partition("nearest:")[2]
    assert message.partition("nearest:")[2].count(",") == 3


def test_the_file_name_of_two_configurations_is_refused_with_both(package: str) -> None:
    message = refusal("one", package)
    assert "a/one.py or b/one.py" in message
    assert find_config("b/one", package, {}) == "b/one.py"
    assert find_config("two_v1.5", package, {}) == "b/two_v1.5.py"


def test_parts_of_configurations_are_no_configurations(package: str) -> None:
    assert set(config_files(package)) == {"a/one.py", "b/one.py", "b/two_v1.5.py"}


@pytest.mark.parametrize(
    ("package", "name", "why"),
    [
        ("mmyolo", "rtmdet/rtmdet-ins_s_syncbn_fast_8xb32-300e_coco.py", "masks"),
        ("mmyolo", "yolov5/ins_seg/yolov5_ins_n-v61_syncbn_fast_8xb16-300e_coco_instance.py", "masks"),
        ("mmyolo", "yolov8_n_mask-refine_syncbn_fast_8xb16-500e_coco", "masks"),
        ("mmyolo", "rtmdet-r_tiny_fast_1xb8-36e_dota", "upright"),
        ("mmyolo", "yolox/pose/yolox-pose_s_8xb32-300e-rtmdet-hyp_coco.py", "upright"),
        ("mmyolo", "rtmdet/distillation/kd_s_rtmdet_m_neck_300e_coco.py", "another model"),
        ("mmyolo", "cspnext-s_8xb256-rsb-a1-600e_in1k", "classifies"),
        ("mmyolo", "razor/subnets/rtmdet_tiny_ofa_lat31_syncbn_16xb16-300e_coco.py", "package"),
        ("mmyolo", "deploy/base_static.py", "no training"),
        ("mmyolo", "yolox_p5_tta", "no training"),
        ("mmdet", "mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py", "masks"),
        ("mmdet", "cascade_rcnn/cascade-mask-rcnn_r50_fpn_1x_coco.py", "masks"),
        ("mmdet", "htc/htc_r50_fpn_1x_coco.py", "masks"),
        ("mmdet", "solov2_r50_fpn_1x_coco", "masks"),
        ("mmdet", "panoptic-fpn_r50_fpn_1x_coco", "masks"),
        ("mmdet", "rpn_r50_fpn_1x_coco", "without classes"),
        ("mmdet", "cascade_rpn/cascade-rpn_r50-caffe_fpn_1x_coco.py", "without classes"),
        ("mmdet", "fast_rcnn/fast-rcnn_r50_fpn_1x_coco.py", "proposals"),
        ("mmdet", "sort_faster-rcnn_r50_fpn_8xb2-4e_mot17train_test-mot17test", "tracks"),
        ("mmdet", "reid_r50_8xb32-6e_mot17train80_test-mot17val20", "classifies"),
        ("mmdet", "ld_r18-gflv1-r101_fpn_1x_coco", "another model"),
        ("mmdet", "mm_grounding_dino/grounding_dino_swin-t_pretrain_obj365.py", "language model"),
        ("mmdet", "timm_example/retinanet_timm-tv-resnet50_fpn_1x_coco.py", "package"),
        ("mmdet", "_base_/models/faster-rcnn_r50_fpn.py", "no training"),
        ("mmdet", "common/ms_3x_coco.py", "no training"),
        ("mmrotate", "redet/redet-le90_re50_refpn_1x_dota.py", "package"),
        ("mmrotate", "rotated-retinanet-rbox-le90_convnext-tiny_fpn_kld-stable_adamw-1x_dota", "package"),
        ("mmrotate", "rotated-retinanet-rbox-le135_r50_fpn_gwd_1x_dota", "mmrotate does not have"),
        ("mmrotate", "h2rbox_v2-le90_r50_fpn-1x_dota", "upright"),
        ("mmrotate", "rotated-fcos-le90_r50_fpn_kld_1x_dota", "area"),
        ("mmrotate", "s2anet-le135_r50_fpn_3x_hrsc", "mmrotate does not have"),
        ("mmrotate", "_base_/datasets/dota.py", "no training"),
        ("mmrotate", "rotated_rtmdet/_base_/dota_rr.py", "no training"),
        ("mmseg", "_base_/models/fast_scnn.py", "no training"),
        ("mmseg", "dsdl/cityscapes.py", "no training"),
        ("mmseg", "convnext-tiny_upernet_8xb2-amp-160k_ade20k-512x512", "package"),
        ("mmseg", "mask2former/mask2former_r50_8xb2-90k_cityscapes-512x1024.py", "package"),
        ("mmseg", "maskformer_r50-d32_8xb2-160k_ade20k-512x512", "package"),
        ("mmseg", "poolformer/fpn_poolformer_s12_8xb4-40k_ade20k-512x512.py", "package"),
        ("mmseg", "san-vit-b16_coco-stuff164k-640x640", "language model"),
        ("mmseg", "vpd/vpd_sd_4xb8-25k_nyu-480x480.py", "depth"),
        ("mmseg", "swin-tiny-patch4-window7_upernet_1xb8-20k_levir-256x256", "two images"),
        ("mmseg", "unet-s5-d16_fcn_4xb4-160k_hsidrive-192x384", "channels"),
    ],
)
def test_what_cannot_learn_from_the_data_of_a_task_is_refused_with_the_reason(
    package: str, name: str, why: str
) -> None:
    message = refusal(name, package)
    assert f"{name!r} cannot be chosen" in message
    assert why in message.partition("nearest:")[0].removeprefix(repr(name))


@pytest.mark.parametrize(
    "key",
    [
        FASTER,
        "cascade_rpn/cascade-rpn_faster-rcnn_r50-caffe_fpn_1x_coco.py",
        "retinanet/retinanet_r50_fpn_1x_coco.py",
        "rtmdet/rtmdet_tiny_8xb32-300e_coco.py",
        "dino/dino-4scale_r50_8xb2-12e_coco.py",
        "yolox/yolox_s_8xb8-300e_coco.py",
        "detr/detr_r50_8xb2-150e_coco.py",
        "fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py",
        "ssd/ssd300_coco.py",
        "yolo/yolov3_d53_8xb8-320-273e_coco.py",
        "pascal_voc/retinanet_r50_fpn_1x_voc0712.py",  # another data set's configuration can learn this one
    ],
)
def test_detectors_of_all_kinds_can_be_chosen(key: str) -> None:
    assert find_config(key, "mmdet", {}) == key
    assert config_path("mmdet", key).is_file()


@pytest.mark.parametrize(
    "key",
    [
        "rotated_rtmdet/rotated_rtmdet_tiny-300e-aug-hrsc.py",
        "oriented_rcnn/oriented-rcnn-le90_r50_fpn_6x_ssdd.py",
        "rotated_retinanet/rotated-retinanet-rbox-le135_r50_fpn_1x_dota.py",
        "gwd/rotated-retinanet-rbox-le90_r50_fpn_gwd_1x_dota.py",
        "s2anet/s2anet-le135_r50_fpn_1x_dota.py",
        "rotated_reppoints/rotated-reppoints-qbox_r50_fpn_1x_dota.py",
    ],
)
def test_detectors_of_rotated_boxes_of_all_kinds_can_be_chosen(key: str) -> None:
    assert find_config(Path(key).stem, "mmrotate", {}) == key
    assert config_path("mmrotate", key).is_file()


@pytest.mark.parametrize(
    "key",
    [
        "fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024.py",
        "hrnet/fcn_hr48_4xb4-80k_loveda-512x512.py",
        "bisenetv1/bisenetv1_r101-d32-in1k-pre_4xb4-160k_coco-stuff164k-512x512.py",  # starts from ImageNet, as others
        "segmenter/segmenter_vit-b_mask_8xb1-160k_ade20k-512x512.py",  # a mask of a class, not of an object
        "point_rend/pointrend_r50_4xb2-80k_cityscapes-512x1024.py",
        "unet/unet-s5-d16_fcn_4xb4-40k_chase-db1-128x128.py",
        "segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py",
        "pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes.py",
    ],
)
def test_semantic_models_of_all_kinds_can_be_chosen(key: str) -> None:
    assert find_config(Path(key).stem, "mmseg", {}) == key
    assert config_path("mmseg", key).is_file()


@pytest.mark.parametrize(("package", "least"), [("mmyolo", 80), ("mmdet", 350), ("mmrotate", 80), ("mmseg", 600)])
def test_every_configuration_is_found_by_its_file_name(package: str, least: int) -> None:
    """No two of a package are called the same."""
    keys = list(config_files(package))
    assert len(keys) >= least
    assert len({Path(key).stem.lower().replace("-", "_") for key in keys}) == len(keys)


def test_a_package_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(ModuleNotFoundError, match="mmabsent is not installed"):
        find_config("yolov8_n", "mmabsent", {})
