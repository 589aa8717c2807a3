"""Tasks of semantic segmentation, and segmentors that see something different in every image without training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import nn

from common.contract import ObjectType, Verb
from common.mmlab.fit.recipe import Run, published
from common.mmlab.model.build import build_model
from common.mmlab.model.checkpoint import write_weights
from common.mmlab.options.catalogue import find_config
from common.mmlab.patches.compat import prepare
from common.mmseg.data import Data
from common.mmseg.params import SemanticTraining
from common.mmseg.recipe import training_recipe
from workbench.images import REPOSITORY, image
from workbench.masked import MaskedSample, render_masked, write_mask_annotations
from workbench.platform import write_training_task

IMAGE = "seg-all-in-one-tmi"
NAMES = ("disc", "triangle", "star")
LEARNED = (*NAMES, "ymir_background")

TRAINING = {
    "export_format": "seg-coco:raw",
    "samples_per_gpu": 2,
    "workers_per_gpu": 0,
    "max_iters": 2,
    "interval": 2,
    "img_size": 64,
    "max_bad_images": 0.1,
}

prepare("mmseg")


def write_task(
    root: Path,
    train: Sequence[MaskedSample],
    val: Sequence[MaskedSample],
    options: Mapping[str, Any],
    names: Sequence[str] = NAMES,
    **more: Any,
) -> Path:
    """A training on masks. Returns the path of env.yaml."""
    env = write_training_task(
        root,
        [masked.sample for masked in train],
        [masked.sample for masked in val],
        names,
        {**TRAINING, **options},
        object_type=ObjectType.SEMANTIC,
        **more,
    )
    write_mask_annotations(root, train, val, names)
    return env


def parameters(**raw: Any) -> SemanticTraining:
    """What the form of the image says."""
    with image(REPOSITORY / IMAGE):
        from params import SEMANTIC

        return SEMANTIC[Verb.TRAINING].parse({**TRAINING, **raw}, Verb.TRAINING)


def recipe(name: str, data: Data | None = None, classes: Sequence[str] = LEARNED, **raw: Any) -> Config:
    """The recipe of a training from scratch on a CPU."""
    key = find_config(name, "mmseg", {})
    run = Run(Path("/run"), key, tuple(classes), scratch=True, world=1, gpu=False)
    return training_recipe(parameters(**raw), data or Data(Path("/data")), run)


@torch.no_grad()
def lively_segmentor(config: Config) -> nn.Module:
    """A model with random weights whose normalisations do something, and that is as likely to see one class as another.

    The last layer is scaled to what it gives for one picture.
    """
    torch.manual_seed(0)
    model = build_model(config, "mmseg").eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    last = model.decode_head.conv_seg
    nn.init.normal_(last.weight)
    picture = torch.from_numpy(render_masked(1, seed=7)[0].sample.image[:128, :128].copy()).permute(2, 0, 1)
    padded, model.data_preprocessor.test_cfg = model.data_preprocessor.test_cfg, None
    inputs = model.data_preprocessor({"inputs": [picture]}, False)["inputs"]
    model.data_preprocessor.test_cfg = padded
    known = [{"ori_shape": (128, 128), "img_shape": inputs.shape[2:], "pad_shape": inputs.shape[2:]}]
    std, mean = torch.std_mean(model.inference(inputs, known), dim=(0, 2, 3))
    last.weight.div_(std[:, None, None, None])
    last.bias.sub_(mean).div_(std)
    return model


def write_lively(path: Path, name: str, **raw: Any) -> tuple[nn.Module, Config]:
    """Weights as a training publishes them, and the model and configuration that they are of."""
    config = recipe(name, **raw)
    model = lively_segmentor(config)
    public = published(config)
    write_weights(path, model.state_dict(), config=public, class_names=LEARNED, model="")
    return model, public
