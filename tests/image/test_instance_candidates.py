"""seg-all-in-one-tmi finds objects with masks, and mines with each of its algorithms, alone and with inference."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lively import lively_detector
from odd import broken, odd_forms
from tasks import CANDIDATES, NAMES, Outcome, run
from warm import run_warm

from common.contract import ObjectType
from common.masks import rle
from common.mining.registry import INSTANCE
from workbench.check import check_out
from workbench.platform import write_candidate_task

IMAGE = "seg-all-in-one-tmi"


@pytest.fixture(scope="module")
def lively(samples: list, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lively_detector("yolov5n-seg", NAMES, samples, tmp_path_factory.mktemp("lively") / "best.pt")


@pytest.fixture(scope="module")
def pool(samples: list) -> list:
    return [*odd_forms(samples[32:43]), *samples[43:56], broken()]


def run_on(root: Path, pool: list, model: Path, runs: Callable[..., Outcome] = run_warm, **options: object) -> Outcome:
    parameters = {**CANDIDATES, "max_bad_images": 0.1, **options}
    verbs = {"run_mining": "mining_algorithm" in options, "run_infer": True}
    env = write_candidate_task(root / "t", pool, [model], NAMES, parameters, object_type=ObjectType.INSTANCE, **verbs)
    outcome = runs(env, image=IMAGE)
    assert outcome.status == 0
    assert check_out(env) == []
    return outcome


@pytest.fixture(scope="module")
def inferred(lively: Path, pool: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run_on(tmp_path_factory.mktemp("infer"), pool, lively, run)


def test_each_object_has_a_mask_inside_its_image(inferred: Outcome, pool: list) -> None:
    content = inferred.document
    assert [entry["file_name"] for entry in content["images"]] == [sample.base_name for sample in pool]
    sizes = {entry["id"]: (entry["height"], entry["width"]) for entry in content["images"]}
    assert len(content["annotations"]) > len(pool)
    assert len({height / width for height, width in sizes.values() if height}) > 2, "images of several forms"
    for each in content["annotations"]:
        mask = rle.decode(each["segmentation"]["counts"].encode(), sizes[each["image_id"]])
        ys, xs = np.nonzero(mask)
        assert each["bbox"] == [xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1]
        assert each["area"] == len(xs)
        assert CANDIDATES["conf_thres"] <= each["confidence"] <= 1


@pytest.mark.parametrize("name", INSTANCE)
def test_mining_ranks_every_image_and_changes_no_object(
    name: str, lively: Path, pool: list, inferred: Outcome, tmp_path: Path
) -> None:
    outcome = run_on(tmp_path, pool, lively, mining_algorithm=name, mcd_iterations=2, batch_size_per_gpu=5)
    assert outcome.document["images"] == inferred.document["images"]
    found, expected = ([each["bbox"] for each in task.document["annotations"]] for task in (outcome, inferred))
    assert found == expected
    names = [image for image, _ in outcome.ranking]
    assert sorted(names) == sorted(sample.base_name for sample in pool)
    assert len({score for _, score in outcome.ranking}) > len(pool) // 2
    if INSTANCE[name].needs_model:
        assert names[-1] == "broken.jpg"
