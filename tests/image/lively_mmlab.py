"""OpenMMLab detectors that see something different in every image, without hours of training."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from common.boxes.convention import Convention
from common.images.letterbox import letterbox
from common.mmlab.fit.classes import set_classes
from common.mmlab.fit.config import has_rotated_boxes, load_config, plain_batch_norm
from common.mmlab.fit.image_size import set_image_size
from common.mmlab.model.build import build_model
from common.mmlab.model.checkpoint import write_weights
from common.mmlab.model.fitting import fitting_of
from common.mmlab.model.heads import class_count
from common.mmlab.model.predictor import Limits, MmlabPredictor
from common.mmlab.model.thresholds import set_thresholds
from common.mmlab.options.catalogue import find_config
from common.mmlab.patches.compat import prepare

SIZE = 64

SPREADS = {
    "convs_pred": (-1, 2),
    "cls_preds": (-1, 2),
    "multi_level_conv_cls": (-1, 2),
    "multi_level_conv_obj": (-1, 2),
    "rtm_cls": (-1, 2),
    "rtm_reg": (2, 0.5),
    "rtm_ang": (0, 0.5),
    "retina_cls": (-1, 2),
    "fc_cls": (-1, 2),
    "cls_branches": (-1, 2),
    "conv_cls": (-1, 2),
}
"""Mean and standard deviation of what the last layers give, by their names in the heads of mmyolo, mmdet and mmrotate.

They are about the classes. Only RTMDet gives lengths that must not be negative, and angles.
"""


@dataclass(frozen=True)
class Kind:
    """A small model of one family.

    Attributes:
        package: `mmyolo`, `mmdet` or `mmrotate`.
        name: of its configuration.
        options: what makes it small.
        dense: whether it classifies every cell.
    """

    package: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    dense: bool = True


SMALL_RESNET = {"model.backbone.depth": 18, "model.neck.in_channels": [64, 128, 256, 512]}

KINDS = {
    "mmyolo yolov5": Kind("mmyolo", "yolov5_n-v61_syncbn_fast_8xb16-300e_coco"),
    "mmyolo yolov6": Kind("mmyolo", "yolov6_n_syncbn_fast_8xb32-400e_coco"),
    "mmyolo yolov7": Kind("mmyolo", "yolov7_tiny_syncbn_fast_8x16b-300e_coco"),
    "mmyolo yolov8": Kind("mmyolo", "yolov8_n_syncbn_fast_8xb16-500e_coco"),
    "mmyolo yolox": Kind("mmyolo", "yolox_tiny_fast_8xb8-300e_coco"),
    "mmyolo rtmdet": Kind("mmyolo", "rtmdet_tiny_syncbn_fast_8xb32-300e_coco"),
    "mmyolo ppyoloe": Kind("mmyolo", "ppyoloe_plus_s_fast_8xb8-80e_coco"),
    "mmdet yolox": Kind("mmdet", "yolox_tiny_8xb8-300e_coco"),
    "mmdet rtmdet": Kind("mmdet", "rtmdet_tiny_8xb32-300e_coco"),
    "mmdet retinanet": Kind("mmdet", "retinanet_r18_fpn_1x_coco"),
    "mmdet faster r-cnn": Kind(
        "mmdet",
        "faster-rcnn_r50_fpn_1x_coco",
        {**SMALL_RESNET, "model.roi_head.bbox_head.fc_out_channels": 64},
        dense=False,
    ),
    "mmdet dino": Kind(
        "mmdet",
        "dino-4scale_r50_8xb2-12e_coco",
        {
            "model.backbone.depth": 18,
            "model.neck.in_channels": [128, 256, 512],
            "model.encoder.num_layers": 1,
            "model.decoder.num_layers": 1,
            "model.num_queries": 50,
            "model.test_cfg.max_per_img": 100,
        },
        dense=False,
    ),
    "mmrotate rtmdet": Kind("mmrotate", "rotated_rtmdet_tiny-3x-dota"),
    "mmrotate retinanet": Kind("mmrotate", "rotated-retinanet-rbox-le90_r50_fpn_1x_dota", SMALL_RESNET),
    "mmrotate fcos": Kind("mmrotate", "rotated-fcos-le90_r50_fpn_1x_dota", SMALL_RESNET),
    "mmrotate r3det": Kind("mmrotate", "r3det-oc_r50_fpn_1x_dota", SMALL_RESNET),
    "mmrotate oriented r-cnn": Kind(
        "mmrotate",
        "oriented-rcnn-le90_r50_fpn_1x_dota",
        {**SMALL_RESNET, "model.roi_head.bbox_head.fc_out_channels": 64},
        dense=False,
    ),
}
"""One of each family that the images promise."""


@dataclass(frozen=True)
class Lively:
    """A configuration and its model."""

    config: Config
    model: nn.Module

    def predictor(self, confidence: float = 0.1, iou: float | None = None, img_size: int = 0) -> MmlabPredictor:
        """A predictor with a copy of the model. Of rotated boxes more overlap each other."""
        config = deepcopy(self.config)
        set_thresholds(config.model, confidence, (0.1 if has_rotated_boxes(config) else 0.65) if iou is None else iou)
        model = build_model(config, config.default_scope)
        model.load_state_dict(self.model.state_dict())
        names = ("name",) * (class_count(model) or 0)
        fitting, convention = fitting_of(config, model, img_size), Convention() if has_rotated_boxes(config) else None
        return MmlabPredictor(model, torch.device("cpu"), fitting, Limits(confidence), names, convention)


def lively_weights(path: Path, kind: Kind, class_names: Sequence[str], images: np.ndarray) -> Path:
    """Save the weights of `lively_model`."""
    lively = lively_model(kind, len(class_names), images)
    key = find_config(kind.name, kind.package, {})
    write_weights(path, lively.model.state_dict(), config=lively.config, class_names=class_names, model=key)
    return path


def lively_model(kind: Kind, class_count: int, images: np.ndarray) -> Lively:
    """A configuration at 64 px, and its model with seeded random weights.

    Batch normalisation is calibrated on the images, so that signals neither die out nor explode, and the class scores
    are spread over (0, 1).

    Args:
        kind: one of `KINDS`.
        class_count: number of classes.
        images: `(B, 64, 64, 3)` uint8 BGR.
    """
    prepare(kind.package)
    config = load_config(kind.package, find_config(kind.name, kind.package, {}))
    set_classes(config, class_count)
    set_image_size(config, SIZE)
    plain_batch_norm(config)
    config.merge_from_dict(dict(kind.options))
    torch.manual_seed(0)
    model = build_model(config, kind.package)
    model.init_weights()
    _calibrate(model, images)
    return Lively(config, model)


def inputs(images: np.ndarray) -> dict[str, Any]:
    """What a data preprocessor takes."""
    from mmdet.structures import DetDataSample

    size = images.shape[1:3]
    known = {"img_shape": size, "ori_shape": size, "scale_factor": (1.0, 1.0), "batch_input_shape": size}
    return {
        "inputs": list(torch.from_numpy(images).permute(0, 3, 1, 2)),
        "data_samples": [DetDataSample(metainfo=known) for _ in images],
    }


def pictures(samples: Sequence[Any], count: int) -> np.ndarray:
    """`(count, 64, 64, 3)` uint8 model inputs that differ from each other."""
    square = [sample.image for sample in samples if sample.image.shape[0] == sample.image.shape[1]]
    return np.stack([letterbox(image, SIZE, SIZE).pixels for image in square[:count]])


def _calibrate(model: nn.Module, images: np.ndarray) -> None:
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train()
            module.momentum = 1.0
    hooks = [layer.register_forward_hook(_spread(*spread)) for layer, spread in _last_layers(model)]
    with torch.no_grad():
        data = model.data_preprocessor(inputs(images), False)
        model.predict(data["inputs"], data["data_samples"], rescale=False)
    for hook in hooks:
        hook.remove()
    model.eval()


def _last_layers(model: nn.Module) -> Iterator[tuple[nn.Module, tuple[float, float]]]:
    """The last convolution or linear layer of every part that is named in SPREADS."""
    for name, module in model.named_modules():
        spread = SPREADS.get(name.rpartition(".")[2])
        if spread is not None:
            for part in module if isinstance(module, nn.ModuleList) else [module]:
                yield [each for each in part.modules() if isinstance(each, nn.Conv2d | nn.Linear)][-1], spread


def _spread(mean: float, deviation: float) -> Any:
    """A hook that gives a layer random weights, and fits its first output, so that each of its channels is spread."""
    done = set()

    def fit(layer: nn.Module, given: tuple[torch.Tensor], _output: torch.Tensor) -> torch.Tensor | None:
        if layer in done:
            return None
        done.add(layer)
        nn.init.normal_(layer.weight)
        nn.init.zeros_(layer.bias)
        output = layer.forward(*given)
        channel = 1 if isinstance(layer, nn.Conv2d) else output.dim() - 1
        now, middle = torch.std_mean(output, [d for d in range(output.dim()) if d != channel])
        layer.weight.mul_((deviation / now).view(-1, *[1] * (layer.weight.dim() - 1)))
        layer.bias.copy_(mean - middle * deviation / now)
        return layer.forward(*given)

    return fit
