"""Every family of models of the OpenMMLab images: train, fine-tune, infer and mine, as the platform starts them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from odd import broken, odd_forms
from tasks import MMDETECTION, MMYOLO, NAMES, Outcome, listing, run
from warm import run_warm

from common.run.rank import Rank
from common.task.env import read_env, read_task
from workbench.check import check_out
from workbench.images import REPOSITORY, image
from workbench.platform import write_candidate_task, write_training_task

pytestmark = pytest.mark.filterwarnings("ignore:DeprecationWarning. `num_anchors`")  # pytest forgets `prepare`'s

TRAINING = {
    "export_format": "ark:raw",
    "samples_per_gpu": 4,
    "workers_per_gpu": 0,
    "max_epochs": 1,
    "img_size": 64,
    "max_bad_images": 0.1,
}
CANDIDATES = {"samples_per_gpu": 4, "workers_per_gpu": 2, "img_size": 64, "conf_threshold": 0.01, "max_bad_images": 0.1}


QUERIES = "model.num_queries=10 model.test_cfg.max_per_img=10"
"""So many that even a tiny image has them: DINO picks them among its cells."""


@dataclass(frozen=True)
class Family:
    """One model of a family."""

    image: str
    model: str
    algorithm: str = "aldd"
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def selector(self) -> dict[str, str]:
        return {"model_name" if self.image == MMYOLO else "config_file": self.model}


FAMILIES = {
    "yolov5": Family(MMYOLO, "yolov5_n"),
    "yolov6": Family(MMYOLO, "yolov6_n"),
    "yolov7": Family(MMYOLO, "yolov7_tiny"),
    "yolov8": Family(MMYOLO, "yolov8_n"),
    "yolox": Family(MMYOLO, "yolox_tiny"),
    "rtmdet": Family(MMYOLO, "rtmdet_tiny"),
    "ppyoloe": Family(MMYOLO, "ppyoloe_plus_s"),
    "mmdet yolox": Family(MMDETECTION, "configs/yolox/yolox_tiny_8x8_300e_coco.py"),
    "mmdet rtmdet": Family(MMDETECTION, "rtmdet/rtmdet_tiny_8xb32-300e_coco.py"),
    "mmdet retinanet": Family(MMDETECTION, "configs/retinanet/retinanet_r18_fpn_1x_coco.py"),
    "mmdet faster r-cnn": Family(MMDETECTION, "faster-rcnn_r50_fpn_1x_coco", algorithm="entropy"),
    "mmdet dino": Family(
        MMDETECTION, "dino-4scale_r50_8xb2-12e_coco", algorithm="entropy", options={"cfg_options": QUERIES}
    ),
}


USUAL = ("yolov8", "mmdet faster r-cnn", "mmdet dino")
"""One stage, two stages, queries: after the training all families run the same code."""

usual = pytest.mark.parametrize(
    "family",
    [
        pytest.param(family, id=name, marks=() if name in USUAL else pytest.mark.exhaustive)
        for name, family in FAMILIES.items()
    ],
    indirect=True,
)


@pytest.fixture(scope="module", params=FAMILIES.values(), ids=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return request.param


@pytest.fixture(scope="module")
def trained(family: Family, samples: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """From scratch, on odd images, one broken and one without objects."""
    root = tmp_path_factory.mktemp("trained") / "task"
    train = [*odd_forms(samples[:11]), samples[11].without_objects(), broken()]
    env = write_training_task(root, train, samples[12:18], NAMES, {**TRAINING, **family.selector, **family.options})
    before = listing(root / "in") | listing(REPOSITORY / "common") | listing(REPOSITORY / family.image)
    runs = run if family is FAMILIES["mmdet rtmdet"] else run_warm
    outcome = runs(env, image=family.image)
    assert outcome.status == 0
    after = listing(root / "in") | listing(REPOSITORY / "common") | listing(REPOSITORY / family.image)
    assert after == before, "nothing is written to /in or beside the code"
    return outcome


def test_training_obeys_the_contract(trained: Outcome) -> None:
    assert check_out(trained.out.parent / "in" / "env.yaml") == []
    assert set(trained.result["model_stages"]) == {"best", "last"}
    assert not (trained.out / ".ymir").exists()


def test_training_from_scratch_is_said_in_one_line(trained: Outcome) -> None:
    assert trained.log.count("training from scratch") == 1
    assert "train: 12 images" in trained.log
    assert "broken.jpg: truncated JPEG" in trained.log


def test_the_weights_are_those_of_a_model_that_predicts(
    family: Family, trained: Outcome, samples: list, tmp_path: Path
) -> None:
    files = sorted(trained.best.parent.iterdir())
    env = write_candidate_task(tmp_path / "t", samples[:1], files, NAMES, CANDIDATES, run_mining=False, run_infer=True)
    task = read_task(read_env(env))
    with image(REPOSITORY / family.image) as executor:
        declared = executor.family(task.object_type)
        predictor = declared.predictor.load()(task, declared.parse(task), Rank())
    prepared = predictor.prepare(samples[0].image)
    [prediction] = predictor.predict(prepared.pixels[None], class_maps=False)
    assert predictor.class_names == NAMES
    assert prediction.detections.probabilities.shape == (len(prediction.detections), len(NAMES))


@usual
def test_fine_tuning_goes_on_with_the_same_model(
    family: Family, trained: Outcome, samples: list, tmp_path: Path
) -> None:
    """The form still names the default model; the weights know better. The classes are others."""
    env = write_training_task(
        tmp_path / "t",
        samples[:4],
        samples[4:8],
        ("star", "disc", "triangle", "ring"),
        {**TRAINING, **family.options, "export_format": "coco:raw"},
        pretrained=sorted(trained.best.parent.iterdir()),
    )
    outcome = run_warm(env, image=family.image)
    assert outcome.status == 0
    assert check_out(env) == []
    assert "tensors taken from best.pth" in outcome.log
    assert "training from scratch" not in outcome.log


@usual
def test_inference_and_mining_share_a_task(family: Family, trained: Outcome, samples: list, tmp_path: Path) -> None:
    options = {**CANDIDATES, "mining_algorithm": family.algorithm}
    pool = [*odd_forms(samples[20:31]), *samples[31:36], broken()]
    env = write_candidate_task(tmp_path / "t", pool, [trained.best], NAMES, options, run_mining=True, run_infer=True)
    outcome = run_warm(env, image=family.image)
    assert outcome.status == 0
    assert check_out(env) == []
    names, scores = zip(*outcome.ranking, strict=True)
    assert sorted(names) == sorted(sample.base_name for sample in pool)
    assert names[-1] == "broken.jpg"
    assert np.isfinite(scores).all()
