"""What semantic models say about pixels: the same as mmsegmentation, whatever the sizes and batches are."""

import itertools
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from semantic import LEARNED, NAMES, write_lively
from torch import nn

from common.contract import ObjectType
from common.errors import ConfigError, ModelError
from common.loop.predictor import Predictor
from common.mmlab.model.checkpoint import write_weights
from common.mmseg.load import load_predictor
from common.mmseg.params import SemanticInfer, SemanticMining
from common.mmseg.pixels import Logits
from common.run.rank import Rank
from common.task.env import read_env, read_task
from workbench.masked import render_masked
from workbench.platform import write_candidate_task

pytestmark = pytest.mark.filterwarnings("ignore:When align_corners=True:UserWarning")

Load = Callable[..., Predictor]

NAMED = {
    "fastscnn": "fast_scnn_8xb4-160k_cityscapes-512x1024",
    "windows": "pspnet_r18b-d8_4xb2-80k_cityscapes-769x769",
    "transformer": "segformer_mit-b0_8xb2-160k_ade20k-512x512",
    "random": "segnext_mscan-t_1xb16-adamw-160k_ade20k-512x512",
    "padded": "ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024",
}
"""Looks at whole images, at windows, has a transformer, draws random numbers, needs sides that are multiples of 64."""


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """Neither as large as an input, nor of its aspect ratio."""
    return np.ascontiguousarray(render_masked(1, seed=5)[0].sample.image[:121, :203])


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, nn.Module, Config]]:
    """Weights of a kind of model, that model and its configuration."""
    made: dict[str, tuple[Path, nn.Module, Config]] = {}

    def make(kind: str) -> tuple[Path, nn.Module, Config]:
        if kind not in made:
            path = tmp_path_factory.mktemp(kind) / "best.pth"
            made[kind] = (path, *write_lively(path, NAMED[kind], img_size=64))
        return made[kind]

    return make


@pytest.fixture
def load(lively: Callable[[str], tuple[Path, nn.Module, Config]], tmp_path: Path) -> Load:
    """The predictor of a kind of model, or of a weights file."""

    count = itertools.count()

    def loads(kind: str | Path, *, names: tuple[str, ...] = NAMES, mining: bool = False, **raw: object) -> Predictor:
        path = kind if isinstance(kind, Path) else lively(kind)[0]
        sample = render_masked(1, seed=5)[0].sample
        env = write_candidate_task(
            tmp_path / str(next(count)),
            [sample],
            [path],
            names,
            {},
            run_mining=False,
            run_infer=True,
            object_type=ObjectType.SEMANTIC,
        )
        parameters = SemanticMining(**raw) if mining else SemanticInfer(**raw)
        return load_predictor(read_task(read_env(env)), parameters, Rank())

    return loads


def theirs(model: nn.Module, config: Config, image: np.ndarray) -> np.ndarray:
    """What mmsegmentation itself says."""
    from mmseg.apis import inference_model

    model.cfg = Config({**config.to_dict(), "test_pipeline": config.val_dataloader.dataset.pipeline})
    with DefaultScope.overwrite_default_scope("mmseg"):
        return inference_model(model, image).pred_sem_seg.data[0].numpy()


def ours(predictor: Predictor, *images: np.ndarray) -> list[np.ndarray]:
    """Labels at the images' own sizes, from one batch."""
    prepared = [predictor.prepare(image) for image in images]
    found = predictor.predict(np.stack([each.pixels for each in prepared]), class_maps=False)
    return [each.pixels.labels(image.shape[:2]) for each, image in zip(found, images, strict=True)]


@pytest.mark.parametrize("kind", ["fastscnn", "windows", "transformer", "padded"])
def test_labels_are_those_of_the_framework(lively: Callable, load: Load, image: np.ndarray, kind: str) -> None:
    _, model, config = lively(kind)
    for each in (image, np.ascontiguousarray(np.rot90(image))[:, 7:]):
        [labels] = ours(load(kind), each)
        assert labels.shape == each.shape[:2]
        assert labels.dtype == np.uint8
        assert len(np.unique(labels)) > 1, "nothing would be compared"
        assert (labels == theirs(model, config, each)).mean() > 0.99


@pytest.mark.parametrize("kind", NAMED)
def test_an_image_gets_the_same_answer_alone_and_among_others(load: Load, image: np.ndarray, kind: str) -> None:
    predictor = load(kind)
    images = [image, image[::-1].copy(), 255 - image]
    together = ours(predictor, *images)
    for each, labels in zip(images, together, strict=True):
        [alone] = ours(predictor, each)
        assert (alone == labels).mean() > 0.999
    assert (together[0] != together[2]).any()


def test_inputs_are_all_image_and_as_large_as_was_asked_for(load: Load, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    for size in (48, 96):
        prepared = load("padded", img_size=size).prepare(image)
        assert prepared.pixels.shape == (round(height * size / width), size, 3)
        assert (prepared.placement.offset_x, prepared.placement.offset_y) == (0, 0)
        assert prepared.placement.scale_x == pytest.approx(size / width)


def test_probabilities_are_those_of_the_input(load: Load, image: np.ndarray) -> None:
    for kind in ("fastscnn", "transformer"):
        predictor = load(kind)
        pixels = predictor.prepare(image).pixels
        [found] = predictor.predict(pixels[None], class_maps=False)
        assert len(found.detections) == 0
        assert found.detections.probabilities.shape == (0, len(NAMES))
        probabilities = found.pixels.probabilities()
        assert probabilities.shape == (len(LEARNED), *pixels.shape[:2])
        assert probabilities.dtype == np.float32
        np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-5)
        assert (probabilities.argmax(axis=0) == found.pixels.labels(pixels.shape[:2])).mean() > 0.999


def test_classes_that_were_learned_by_themselves_share_the_whole() -> None:
    logits = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    alone = logits.sigmoid()
    found = Logits(logits, align_corners=False, sigmoid=True).probabilities()
    np.testing.assert_allclose(found, alone / alone.sum(dim=0), rtol=1e-4)
    together = Logits(logits, align_corners=False, sigmoid=False).probabilities()
    np.testing.assert_allclose(together, logits.softmax(dim=0), rtol=1e-4)


@pytest.mark.parametrize("align_corners", [False, True])
def test_labels_are_the_best_of_the_resized_scores(align_corners: bool) -> None:
    logits = torch.randn(5, 9, 7, generator=torch.Generator().manual_seed(0))
    labels = Logits(logits, align_corners=align_corners, sigmoid=False).labels((31, 40))
    resized = nn.functional.interpolate(logits[None], (31, 40), mode="bilinear", align_corners=align_corners)[0]
    assert (labels == resized.argmax(dim=0).numpy()).all()


def test_windows_can_be_asked_for_and_refused(lively: Callable, load: Load, image: np.ndarray) -> None:
    """A model that looks at whole images has windows of the size of its crops."""
    [whole], [windows] = (ours(load("fastscnn", mode=mode), image) for mode in ("", "slide"))
    assert 0 < (whole != windows).mean() < 1
    _, model, config = lively("fastscnn")
    model.test_cfg.update(mode="slide", crop_size=(32, 64), stride=(21, 43))
    try:
        assert (windows == theirs(model, config, image)).mean() > 0.99
    finally:
        model.test_cfg.mode = "whole"
    [small] = ours(load("windows", cfg_options="model.test_cfg.stride=(16,16)"), image)
    assert small.shape == image.shape[:2]
    with pytest.raises(ConfigError, match="cfg_options"):
        load("fastscnn", cfg_options="model.auxiliary_head.9.channels=1")


def test_the_background_is_no_class_of_the_user(
    load: Load, caplog: pytest.LogCaptureFixture, lively: Callable, tmp_path: Path
) -> None:
    assert tuple(load("fastscnn").class_names) == NAMES
    assert tuple(load("fastscnn", names=()).class_names) == NAMES
    assert not caplog.records
    caplog.set_level(logging.WARNING)
    load("fastscnn", names=("a", "b", "c"))
    assert "differ from the model's" in caplog.text
    with pytest.raises(ModelError, match="trained for 3 classes, but class_names has 4"):
        load("fastscnn", names=LEARNED)
    _, model, config = lively("fastscnn")
    silent = tmp_path / "silent.pth"
    write_weights(silent, model.state_dict(), config=config, class_names=(), model="")
    assert tuple(load(silent).class_names) == NAMES
    assert tuple(load(silent, names=LEARNED[::-1]).class_names) == LEARNED[::-1]
    with pytest.raises(ModelError, match="trained for 4 classes, but there are 2 names"):
        load(silent, names=NAMES[:2])


def test_a_single_map_for_two_classes_is_refused(lively: Callable, load: Load, tmp_path: Path) -> None:
    _, model, config = lively("fastscnn")
    single = Config(config.to_dict())
    single.model.decode_head.update(num_classes=2, out_channels=1)
    tensors = {
        name: tensor[:1] if name.startswith("decode_head.conv_seg") else tensor
        for name, tensor in model.state_dict().items()
    }
    path = tmp_path / "single.pth"
    write_weights(path, tensors, config=single, class_names=("no", "yes"), model="")
    with (
        pytest.warns(UserWarning, match="threshold is not defined"),
        pytest.raises(ModelError, match="a single map; exp"),
    ):
        load(path)


def test_half_precision_is_for_gpus(load: Load, image: np.ndarray) -> None:
    """On a CPU the parameter changes nothing."""
    [with_it], [without] = (ours(load("fastscnn", mining=True, fp16=fp16), image) for fp16 in (True, False))
    assert (with_it == without).all()
