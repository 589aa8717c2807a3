"""What the training of a semantic model reads, and how it is measured."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, METRICS, DefaultScope
from semantic import LEARNED, NAMES, recipe, write_task
from tasks import prepared

from common.errors import ConfigError
from common.mmlab.fit.config import REMOTE
from common.mmlab.fit.nested import mappings
from common.mmlab.fit.recipe import published
from common.mmlab.options.catalogue import config_files
from common.mmlab.patches.compat import quiet
from common.mmseg.data import Data, write_data
from common.mmseg.metric import PixelMetric
from common.mmseg.padding import Padding, set_padding
from workbench.masked import MaskedSample, render_masked

FASTSCNN = "fast_scnn_8xb4-160k_cityscapes-512x1024"
HRNET = "fcn_hr18s_4xb2-40k_cityscapes-512x1024"
WINDOWS = "pspnet_r18b-d8_4xb2-80k_cityscapes-769x769"
UNET = "unet-s5-d16_fcn_4xb4-40k_drive-64x64"
BEIT = "beit-base_upernet_8xb2-160k_ade20k-640x640"
VOC = "deeplabv3_r50-d8_4xb4-20k_voc12aug-512x512"
ADE = "segformer_mit-b0_8xb2-160k_ade20k-512x512"


@pytest.fixture(scope="module")
def scenes() -> list[MaskedSample]:
    return render_masked(6, seed=3)


@pytest.fixture(scope="module")
def data(scenes: list[MaskedSample], tmp_path_factory: pytest.TempPathFactory) -> Data:
    root = tmp_path_factory.mktemp("t")
    task = prepared(write_task(root, scenes[:4], scenes[4:], {}))
    written = Data(root / "data")
    write_data(task, written, ignore_black_area=False)
    return written


def dataset(config: Config, split: str):
    with quiet(), DefaultScope.overwrite_default_scope("mmseg"):
        return DATASETS.build(config[f"{split}_dataloader"].dataset)


@pytest.mark.parametrize("name", [FASTSCNN, WINDOWS, ADE, UNET, VOC])
def test_every_pipeline_loads_the_classes_of_the_annotations(data: Data, scenes: list[MaskedSample], name: str) -> None:
    """Also those of data sets that call their first class nothing, or that join and repeat others."""
    name = name.replace(UNET, "unet-s5-d16_fcn_4xb4-40k_drive-64x64")
    config = recipe(name, data)
    validation = dataset(config, "val")
    for i, masked in enumerate(scenes[4:]):
        labels = validation[i]["data_samples"].gt_sem_seg.data[0].numpy()
        assert (labels == masked.labels(blank=len(NAMES))).all()
    training = dataset(config, "train")
    assert len(training) == 4
    crop = config.model.data_preprocessor.size
    for i in range(4):
        sample = training[i]
        labels = sample["data_samples"].gt_sem_seg.data[0].numpy()
        assert all(side <= most for side, most in zip(labels.shape, crop, strict=True))
        assert set(np.unique(labels)) <= {*range(len(LEARNED)), 255}


@pytest.mark.parametrize("key", list(config_files("mmseg"))[::16])
def test_any_configuration_becomes_a_recipe(key: str) -> None:
    """Nothing of it downloads, synchronises, or knows other classes and sizes."""
    config = recipe(key)
    for mapping in mappings(config.model):
        assert mapping.get("type") != "SyncBN"
        assert mapping.get("num_classes", len(LEARNED)) == (2 if mapping.get("type") == "STDCHead" else len(LEARNED))
        assert "class_weight" not in mapping
        assert not any(isinstance(value, str) and REMOTE.match(value) for value in mapping.values())
    assert max(config.model.data_preprocessor.size) == 64
    assert config.train_cfg == {"type": "IterBasedTrainLoop", "max_iters": 2, "val_interval": 2}
    assert Config.fromstring(published(config).pretty_text, ".py").model == config.model


@pytest.mark.parametrize(
    ("name", "size", "crop", "scale", "windows"),
    [
        (FASTSCNN, 0, (512, 1024), (2048, 1024), None),
        (FASTSCNN, 256, (128, 256), (512, 256), None),
        (WINDOWS, 0, (769, 769), (2049, 1025), ((769, 769), (513, 513))),
        (WINDOWS, 385, (385, 385), (1026, 513), ((385, 385), (257, 257))),
        (ADE, 1024, (1024, 1024), (4096, 1024), None),
    ],
)
def test_all_lengths_follow_the_crop(name: str, size: int, crop: tuple, scale: tuple, windows: tuple | None) -> None:
    config = recipe(name, img_size=size)
    assert config.model.data_preprocessor.size == crop
    found = {mapping["type"]: mapping for mapping in mappings(config.train_dataloader.dataset.pipeline)}
    assert found["RandomCrop"]["crop_size"] == crop
    assert found["RandomResize"]["scale"] == scale
    assert config.val_dataloader.dataset.pipeline[1].scale == scale
    test_cfg = config.model.test_cfg
    assert (windows is None) == ("crop_size" not in test_cfg)
    if windows is not None:
        assert (test_cfg.crop_size, test_cfg.stride) == windows


def test_a_crop_that_a_model_cannot_take_is_refused() -> None:
    name = "mobilenet-v3-d8_lraspp_4xb4-320k_cityscapes-512x1024"
    with pytest.raises(ConfigError, match=r"img_size: crops of 32 x 64 .* at least 392 x 392"):
        recipe(name, img_size=64)
    assert recipe(name, img_size=1024).model.data_preprocessor.size == (512, 1024)


def test_what_a_model_needs_around_an_image_goes_with_it() -> None:
    """mmsegmentation pads in its validation and its tools, and we in inference, by what the configuration says."""
    strides, one_size = recipe("unet-s5-d16_fcn_4xb4-160k_cityscapes-512x1024"), recipe(BEIT)
    assert strides.model.data_preprocessor.test_cfg == {"size_divisor": 16}
    assert Padding.of(strides).around(33, 64) == (15, 0)
    assert one_size.model.backbone.img_size == (64, 64)
    assert Padding.of(one_size).around(33, 80) == (31, 0)
    assert Padding.of(recipe(FASTSCNN)).around(33, 47) == (0, 0)
    one_size.model.test_cfg.mode = "whole"
    with pytest.raises(ConfigError, match="mode: whole is not possible with BEiT"):
        set_padding(one_size)


def test_the_schedule_fits_the_run() -> None:
    """A tenth of the steps and a quarter of the batch."""
    config = recipe(HRNET, max_iters=4000, interval=3000)
    assert config.train_cfg.val_interval == 3000
    own_batch, own_iters, own_rate = 8, 40_000, 0.01
    rate = own_rate * (2 / own_batch) ** 0.5 * (own_iters / 4000) ** 0.25
    assert config.optim_wrapper.optimizer.lr == pytest.approx(rate)
    [decay] = config.param_scheduler
    assert (decay["begin"], decay["end"]) == (0, 4000)
    assert decay["eta_min"] == pytest.approx(1e-4 * rate / own_rate)
    warm, _ = recipe(ADE, max_iters=4000).param_scheduler
    assert (warm["begin"], warm["end"]) == (0, 400)


def test_options_win(data: Data) -> None:
    options = "optim_wrapper.optimizer.lr=0.5 model.test_cfg.mode=slide"
    config = recipe(FASTSCNN, data, cfg_options=options, args_options="--seed 7")
    assert config.optim_wrapper.optimizer.lr == 0.5
    assert config.model.test_cfg.mode == "slide"
    assert config.randomness["seed"] == 7
    with pytest.raises(ConfigError, match="cfg_options"):
        recipe(FASTSCNN, cfg_options="model.auxiliary_head.9.channels=1")


def test_pixels_are_counted_once_and_unknown_ones_never() -> None:
    metric = METRICS.build({"type": PixelMetric.__name__})
    metric.dataset_meta = {"classes": ("a", "b")}

    def sample(truth: list[int], found: list[int]) -> dict:
        return {
            name: {"data": torch.tensor([[values]])}
            for name, values in (("gt_sem_seg", truth), ("pred_sem_seg", found))
        }

    metric.process(None, [sample([0, 0, 1, 255], [0, 1, 1, 0])])
    metric.process(None, [sample([1, 1], [1, 0]), sample([255, 255], [0, 1])])
    found = metric.evaluate(3)
    assert found == pytest.approx({"mIoU": (1 / 3 + 2 / 4) / 2, "mAcc": (1 / 2 + 2 / 3) / 2, "aAcc": 3 / 5})
    assert metric.evaluate(0) == {"mIoU": 0, "mAcc": 0, "aAcc": 0}, "it forgets what was measured"
