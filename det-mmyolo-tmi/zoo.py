"""Models of det-mmyolo-tmi by short name, and the pretrained weights (COCO) that OpenMMLab publishes of them."""

from pathlib import Path

from common.weights.zoo import Address, Zoo

PACKAGE = "mmyolo"

MODELS = {
    "yolov5_n": "yolov5/yolov5_n-v61_syncbn_fast_8xb16-300e_coco.py",
    "yolov5_s": "yolov5/yolov5_s-v61_syncbn_fast_8xb16-300e_coco.py",
    "yolov5_m": "yolov5/yolov5_m-v61_syncbn_fast_8xb16-300e_coco.py",
    "yolov5_l": "yolov5/yolov5_l-v61_syncbn_fast_8xb16-300e_coco.py",
    "yolov5_x": "yolov5/yolov5_x-v61_syncbn_fast_8xb16-300e_coco.py",
    "yolov6_n": "yolov6/yolov6_n_syncbn_fast_8xb32-400e_coco.py",
    "yolov6_t": "yolov6/yolov6_t_syncbn_fast_8xb32-400e_coco.py",
    "yolov6_s": "yolov6/yolov6_s_syncbn_fast_8xb32-400e_coco.py",
    "yolov6_m": "yolov6/yolov6_m_syncbn_fast_8xb32-300e_coco.py",
    "yolov6_l": "yolov6/yolov6_l_syncbn_fast_8xb32-300e_coco.py",
    "yolov7_tiny": "yolov7/yolov7_tiny_syncbn_fast_8x16b-300e_coco.py",
    "yolov7_l": "yolov7/yolov7_l_syncbn_fast_8x16b-300e_coco.py",
    "yolov7_x": "yolov7/yolov7_x_syncbn_fast_8x16b-300e_coco.py",
    "yolov8_n": "yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py",
    "yolov8_s": "yolov8/yolov8_s_syncbn_fast_8xb16-500e_coco.py",
    "yolov8_m": "yolov8/yolov8_m_syncbn_fast_8xb16-500e_coco.py",
    "yolov8_l": "yolov8/yolov8_l_syncbn_fast_8xb16-500e_coco.py",
    "yolov8_x": "yolov8/yolov8_x_syncbn_fast_8xb16-500e_coco.py",
    "yolox_nano": "yolox/yolox_nano_fast_8xb8-300e_coco.py",
    "yolox_tiny": "yolox/yolox_tiny_fast_8xb8-300e_coco.py",
    "yolox_s": "yolox/yolox_s_fast_8xb8-300e_coco.py",
    "yolox_m": "yolox/yolox_m_fast_8xb8-300e_coco.py",
    "yolox_l": "yolox/yolox_l_fast_8xb8-300e_coco.py",
    "yolox_x": "yolox/yolox_x_fast_8xb8-300e_coco.py",
    "rtmdet_tiny": "rtmdet/rtmdet_tiny_syncbn_fast_8xb32-300e_coco.py",
    "rtmdet_s": "rtmdet/rtmdet_s_syncbn_fast_8xb32-300e_coco.py",
    "rtmdet_m": "rtmdet/rtmdet_m_syncbn_fast_8xb32-300e_coco.py",
    "rtmdet_l": "rtmdet/rtmdet_l_syncbn_fast_8xb32-300e_coco.py",
    "rtmdet_x": "rtmdet/rtmdet_x_syncbn_fast_8xb32-300e_coco.py",
    "ppyoloe_plus_s": "ppyoloe/ppyoloe_plus_s_fast_8xb8-80e_coco.py",
    "ppyoloe_plus_m": "ppyoloe/ppyoloe_plus_m_fast_8xb8-80e_coco.py",
    "ppyoloe_plus_l": "ppyoloe/ppyoloe_plus_l_fast_8xb8-80e_coco.py",
    "ppyoloe_plus_x": "ppyoloe/ppyoloe_plus_x_fast_8xb8-80e_coco.py",
}
"""A short name means exactly one configuration of mmyolo."""

PUBLISHED = {
    "yolov5_n": "yolov5_n-v61_syncbn_fast_8xb16-300e_coco_20220919_090739-b804c1ad",
    "yolov5_s": "yolov5_s-v61_syncbn_fast_8xb16-300e_coco_20220918_084700-86e02187",
    "yolov5_m": "yolov5_m-v61_syncbn_fast_8xb16-300e_coco_20220917_204944-516a710f",
    "yolov6_n": "yolov6_n_syncbn_fast_8xb32-400e_coco_20221030_202726-d99b2e82",
    "yolov6_t": "yolov6_t_syncbn_fast_8xb32-400e_coco_20221030_143755-cf0d278f",
    "yolov6_s": "yolov6_s_syncbn_fast_8xb32-400e_coco_20221102_203035-932e1d91",
    "yolov6_m": "yolov6_m_syncbn_fast_8xb32-300e_coco_20221109_182658-85bda3f4",
    "yolov7_tiny": "yolov7_tiny_syncbn_fast_8x16b-300e_coco_20221126_102719-0ee5bbdf",
    "yolov7_l": "yolov7_l_syncbn_fast_8x16b-300e_coco_20221123_023601-8113c0eb",
    "yolov7_x": "yolov7_x_syncbn_fast_8x16b-300e_coco_20221124_215331-ef949a68",
    "yolov8_n": "yolov8_n_syncbn_fast_8xb16-500e_coco_20230114_131804-88c11cdb",
    "yolov8_s": "yolov8_s_syncbn_fast_8xb16-500e_coco_20230117_180101-5aa5f0f1",
    "yolov8_m": "yolov8_m_syncbn_fast_8xb16-500e_coco_20230115_192200-c22e560a",
    # Trained when the configuration had another data pipeline and was not yet called `fast`; the model is the same.
    "yolox_tiny": "yolox_tiny_8xb8-300e_coco_20220919_090908-0e40a6fc",
    "yolox_s": "yolox_s_8xb8-300e_coco_20220917_030738-d7e60cb2",
    "rtmdet_tiny": "rtmdet_tiny_syncbn_fast_8xb32-300e_coco_20230102_140117-dbb1dc83",
    "rtmdet_s": "rtmdet_s_syncbn_fast_8xb32-300e_coco_20221230_182329-0a8c901a",
    "rtmdet_m": "rtmdet_m_syncbn_fast_8xb32-300e_coco_20230102_135952-40af4fe8",
    "rtmdet_l": "rtmdet_l_syncbn_fast_8xb32-300e_coco_20230102_135928-ee3abdc4",
    "ppyoloe_plus_s": "ppyoloe_plus_s_fast_8xb8-80e_coco_20230101_154052-9fee7619",
    "ppyoloe_plus_m": "ppyoloe_plus_m_fast_8xb8-80e_coco_20230104_193132-e4325ada",
}
"""The models of the seed document, with the file names of its download addresses."""

ZOO = Zoo(
    folder=Path(__file__).resolve().parent / "weights",
    addresses={
        MODELS[model]: Address.of_openmmlab(f"mmyolo/v0/{MODELS[model].partition('/')[0]}", name)
        for model, name in PUBLISHED.items()
    },
)
"""By key of the configuration, so that no other configuration gets the weights."""
