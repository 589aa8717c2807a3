"""Names that configurations of OpenMMLab had before its packages were renamed in 2022, by rules.

Old names have the parts of today's, in another order and in part in other words:
`fcos_x101_64x4d_fpn_gn-head_mstrain_640-800_2x_coco` is `fcos_x101-64x4d_fpn_gn-head_ms-640-800-2x_coco`, and
`pspnet_r50-d8_512x512_80k_ade20k` is `pspnet_r50-d8_4xb4-80k_ade20k-512x512`. So two names are compared as sets of
words, after the words of the old one are translated; the batch (`8x2`, today `8xb2`), which old names often leave out,
only decides between several.
"""

import re
from collections.abc import Iterable
from functools import cache

Rules = tuple[tuple[str, str], ...]
"""Patterns of an old name in lower case, with `_` between its words, and what they are today."""

ALWAYS: Rules = (
    (r"mstrain", r"ms"),
    (r"fp16", r"amp"),
    (r"_lr[0-9.]+(e_\d+)?(?=_)", r""),
    (r"(?<![a-z])pretrain(ed)?(?![a-z])", r"pre"),
)

RULES: dict[str, Rules] = {
    "mmdet": (
        (r"resnet(\d+)", r"r\1"),
        (r"(?<![a-z0-9])r2_(\d+)", r"res2net_\1"),
        (r"attention_(\d{4})", r"attn\1"),
        (r"syncbn_backbone(?!_head)", r"syncbn"),
        (r"^ga_(fast|faster)_(?=[rx]\d)", r"ga_\1_rcnn_"),
        (r"^crpn_", r"cascade_rpn_"),
        (r"obj365", r"objects365"),
        (r"^retinanet_free_anchor", r"freeanchor"),
        (r"gn_neck_head", r"gn_head_gn"),
        (r"^(bbox_r50.*)$", r"reppoints_\1"),
        (r"4conv1f_", r"4conv1fc_"),
        (r"rpn_2conv", r"rpn_2conv_4conv1fc"),
        (r"^(solov2.*)_3x", r"\1_ms_3x"),
        (r"^(yolact.*)_coco", r"\1_55e_coco"),
        (r"^(centernet.*)_140e", r"\1_crop512_140e"),
        (r"^(centripetalnet.*)_210e", r"\1_crop511_210e"),
        (r"^autoassign_r50_", r"autoassign_r50_caffe_"),
        (r"r101dcn", r"r101_dcn"),
    ),
    "mmseg": (
        (r"(\d+k)_b(\d+)(?=_|$)", r"\1_1x\2b"),
        (r"m_v(\d)(s?)(?=_)", r"mobilenet_v\1_\2"),
        (r"rsb_pre(?=_)", r"rsb"),
        (r"pre_384x384_(\d+)k", r"in\1k_384x384_pre"),
        (r"pre_224x224_(\d+)k", r"in\1k_pre"),
        (r"^(upernet_(deit|vit)_)", r"vit_\1"),
        (r"_s101_d8_", r"_resnest_s101_d8_"),
        (r"^cgnet_", r"cgnet_fcn_"),
        (r"^setr_(naive|pup|mla)_", r"setr_vit_l_\1_"),
        (r"vit_large", r"vit_l"),
        (r"^segmenter_vit_s_linear", r"segmenter_vit_s_fcn"),
    ),
    "mmrotate": ((r"hbb", r"hbox"), (r"obb", r"rbox")),
    "mmyolo": ((r"^(?!.*_fast_)(.*_syncbn|yolox_[a-z]+)_", r"\1_fast_"),),
}
"""By package. They apply after `ALWAYS`, in this order."""

UNWRITTEN = (4, 2)
"""GPUs and images per GPU of an old name of mmsegmentation without a batch."""

Parts = tuple[tuple[str, ...], tuple[int, int] | None]


def todays_keys(name: str, keys: Iterable[str], package: str) -> list[str]:
    """Find the configurations that have the words of an old name.

    Args:
        name: old name, with or without folder and suffix.
        keys: paths of today's configurations below `configs`.
        package: `mmyolo`, `mmdet`, `mmrotate` or `mmseg`.

    Returns:
        None, one, or several that the name does not tell apart.
    """
    folder = name.strip().replace("\\", "/").removeprefix("./").removeprefix("configs/").rpartition("/")[0]
    plain = _plain(name)
    for pattern, today in ALWAYS + RULES[package]:
        plain = re.sub(pattern, today, plain)
    words, batch = _parts(plain)
    parts = {key: _parts(_plain(key)) for key in keys if not folder or folder == key.rpartition("/")[0]}
    found = {key: its_batch for key, (its_words, its_batch) in parts.items() if its_words == words}
    wanted = batch or UNWRITTEN
    same = [key for key, its_batch in found.items() if its_batch == wanted]
    as_many = [key for key, its_batch in found.items() if its_batch and _images(its_batch) == _images(wanted)]
    return sorted(found if len(found) < 2 else same or as_many or found)


def _plain(name: str) -> str:
    stem = name.strip().lower().removesuffix(".py").rpartition("/")[2]
    return re.sub(r"[-+]", "_", stem)


@cache
def _parts(plain: str) -> Parts:
    """Split a name into its sorted words, and GPUs and images per GPU if it has them."""
    words, batch = [], None
    for word in plain.strip("_").split("_"):
        parts = re.fullmatch(r"(?:bs)?(\d+)x(?:b(\d+)|(\d+)b?)", word)
        gpus, images = (int(parts[1]), int(parts[2] or parts[3])) if parts else (0, 0)
        if parts and (parts[2] or (gpus <= 64 and images <= 32)):  # not the size of an image
            batch = gpus, images
        elif word:
            words.append(word)
    return tuple(sorted(words)), batch


def _images(batch: tuple[int, int]) -> int:
    return batch[0] * batch[1]
