"""seg-all-in-one-tmi says what each pixel shows, and mines with each of its algorithms, alone and with inference."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from odd import broken, odd_forms
from semantic import IMAGE, LEARNED, NAMES, write_lively
from tasks import Outcome, run
from warm import run_warm

from common.contract import ObjectType
from common.masks import rle
from common.mining.algorithm import PoolMeasure
from common.mining.registry import SEMANTIC
from common.mmlab.model.checkpoint import write_weights
from workbench.check import check_out
from workbench.platform import write_candidate_task

CANDIDATES = {"samples_per_gpu": 4, "workers_per_gpu": 2, "img_size": 64, "max_bad_images": 0.1}
MINING = {"max_superpixel_per_image": 64, "max_kept_mining_image": 7, "superpixel_algorithm": "seeds"}


@pytest.fixture(scope="module")
def lively(samples: list, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a model that sees every class somewhere: its maps are centred on some images."""
    path = tmp_path_factory.mktemp("lively") / "best.pth"
    model, config = write_lively(path, "fast_scnn_8xb4-160k_cityscapes-512x1024")
    images = [torch.from_numpy(cv2.resize(sample.image, (64, 64))).permute(2, 0, 1) for sample in samples[:16]]
    last = model.decode_head.conv_seg
    with torch.no_grad():
        logits = model(model.data_preprocessor({"inputs": images})["inputs"], mode="tensor")
        spread, centre = torch.std_mean(logits, dim=(0, 2, 3))
        last.weight /= spread[:, None, None, None]
        last.bias.copy_((last.bias - centre) / spread)
    write_weights(path, model.state_dict(), config=config, class_names=LEARNED, model="")
    return path


@pytest.fixture(scope="module")
def pool(samples: list) -> list:
    return [*odd_forms(samples[32:43]), *samples[43:52], broken()]


def run_on(root: Path, pool: list, model: Path, runs: Callable[..., Outcome] = run_warm, **options: object) -> Outcome:
    verbs = {"run_mining": "mining_algorithm" in options, "run_infer": True}
    parameters = {**CANDIDATES, **options}
    env = write_candidate_task(root / "t", pool, [model], NAMES, parameters, object_type=ObjectType.SEMANTIC, **verbs)
    outcome = runs(env, image=IMAGE)
    assert outcome.status == 0
    assert check_out(env) == []
    return outcome


@pytest.fixture(scope="module")
def inferred(lively: Path, pool: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run_on(tmp_path_factory.mktemp("infer"), pool, lively, run)


def test_no_pixel_is_of_two_classes_and_the_background_is_none(inferred: Outcome, pool: list) -> None:
    content = inferred.document
    assert [entry["file_name"] for entry in content["images"]] == [sample.base_name for sample in pool]
    assert [entry["name"] for entry in content["categories"]] == list(NAMES)
    covered = {entry["id"]: np.zeros((entry["height"], entry["width"]), np.uint8) for entry in content["images"]}
    for each in content["annotations"]:
        mask = rle.decode(each["segmentation"]["counts"].encode(), covered[each["image_id"]].shape)
        assert each["area"] == mask.sum()
        assert "confidence" not in each
        covered[each["image_id"]] += mask
    assert {int(count.max()) for count in covered.values() if count.size} <= {0, 1}
    pairs = [(each["image_id"], each["category_id"]) for each in content["annotations"]]
    assert len(set(pairs)) == len(pairs)
    assert len(content["annotations"]) > len(pool)
    assert any(not count.all() for count in covered.values()), "some pixels are background"


def test_windows_give_another_answer(lively: Path, pool: list, inferred: Outcome, tmp_path: Path) -> None:
    slid = run_on(tmp_path, pool, lively, mode="slide", cfg_options="model.test_cfg.crop_size=(32,48)")
    assert slid.document["images"] == inferred.document["images"]
    assert slid.document["annotations"] != inferred.document["annotations"]


@pytest.mark.parametrize("name", SEMANTIC)
def test_mining_ranks_every_image_and_changes_no_mask(
    name: str, lively: Path, pool: list, inferred: Outcome, tmp_path: Path
) -> None:
    outcome = run_on(tmp_path, pool, lively, mining_algorithm=name, **MINING)
    assert (outcome.out / "infer-result.json").read_bytes() == (inferred.out / "infer-result.json").read_bytes()
    names = [image for image, _ in outcome.ranking]
    assert sorted(names) == sorted(sample.base_name for sample in pool)
    assert len({score for _, score in outcome.ranking}) > len(pool) // 2
    if SEMANTIC[name].needs_model:
        assert names[-1] == "broken.jpg"
    regions = sorted((outcome.out / "masks").glob("*")) if isinstance(SEMANTIC[name], PoolMeasure) else []
    kept = names[: MINING["max_kept_mining_image"]] if isinstance(SEMANTIC[name], PoolMeasure) else []
    assert [file.name for file in regions] == sorted(f"{name}.png" for name in kept)
    sizes = {entry["file_name"]: (entry["height"], entry["width"]) for entry in outcome.document["images"]}
    for file in regions:
        mask = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        assert mask.shape == sizes[file.stem]
        assert set(np.unique(mask)) == {0, 255}
