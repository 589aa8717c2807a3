"""det-yolov5-tmi trains: what it writes, and what each row of the seed's table changes."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from odd import broken, nonsense, odd_forms
from tasks import NAMES, TRAINING, Outcome, assert_means, listing, run
from warm import run_warm

from common.results.class_metrics import ClassMetrics
from common.yolo.checkpoint import read_weights
from workbench.check import check_out
from workbench.images import REPOSITORY
from workbench.platform import write_training_task


@pytest.fixture(scope="module")
def trained(samples: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A training on 24 images, most of them odd, beside two that are none, that keeps every epoch."""
    root = tmp_path_factory.mktemp("trained") / "task"
    odd = odd_forms(samples[:11])
    options = {"save_best_only": "False", "save_period": 1, "args_options": "--exist-ok --optimizer SGD lr0=0.02"}
    env = write_training_task(
        root,
        [*odd, *samples[11:24], broken(), nonsense()],
        samples[24:32],
        NAMES,
        {**TRAINING, **options, "max_bad_images": 0.1},
    )
    before = listing(root / "in") | listing(REPOSITORY / "common") | listing(REPOSITORY / "det-yolov5-tmi")
    outcome = run(env)
    assert outcome.status == 0
    after = listing(root / "in") | listing(REPOSITORY / "common") | listing(REPOSITORY / "det-yolov5-tmi")
    assert after == before, "nothing is written to /in or beside the code"
    return outcome


def test_the_outputs_obey_the_contract(trained: Outcome) -> None:
    assert check_out(trained.out.parent / "in" / "env.yaml") == []
    assert trained.monitor[2:5] == ["1.0000", "2", "0"]


def test_every_epoch_is_a_stage_when_asked_for(trained: Outcome) -> None:
    assert set(trained.result["model_stages"]) == {"best", "last", "epoch_1", "epoch_2"}
    assert trained.result["best_stage_name"] == "best"
    assert trained.result["object_type"] == 2


def test_a_broken_image_is_left_out_and_named(trained: Outcome) -> None:
    assert "left out of train" in trained.log
    assert "broken.jpg: truncated JPEG" in trained.log
    assert "text.jpg: cannot be decoded" in trained.log


def test_images_of_every_form_are_trained_on(trained: Outcome) -> None:
    assert "train: 24 images" in trained.log


def test_the_curve_and_tensorboard_tell_every_epoch(trained: Outcome) -> None:
    lines = (trained.out / "training-curve.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "epoch,mAP,mAP50_95,loss"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2"]
    assert any("tfevents" in path.name for path in (trained.out / "tensorboard").iterdir())


def test_the_classes_are_told_one_by_one(trained: Outcome, samples: list) -> None:
    assert_means(trained, NAMES)
    objects = np.bincount(np.concatenate([sample.classes for sample in samples[24:32]]), minlength=len(NAMES))
    assert [each.count for each in trained.classes] == objects.tolist()
    assert "objects  class" in "\n".join(trained.log.splitlines()[-5:])


def test_no_scratch_and_no_optimizer_state_is_left(trained: Outcome) -> None:
    checkpoint = torch.load(trained.best, weights_only=False)
    assert checkpoint["optimizer"] is None
    assert not (trained.out / ".ymir").exists()


def test_args_options_reach_the_trainer(trained: Outcome) -> None:
    arguments = torch.load(trained.best, weights_only=False)["train_args"]
    assert (arguments["optimizer"], arguments["lr0"], arguments["imgsz"]) == ("SGD", 0.02, 64)


def test_nothing_is_attached(trained: Outcome) -> None:
    assert trained.result["attachments"] == {}


def test_from_scratch_the_activation_is_hardswish(trained: Outcome) -> None:
    kinds = {type(module).__name__ for module in read_weights(trained.best).modules()}
    assert "Hardswish" in kinds
    assert "SiLU" not in kinds


def test_the_onnx_file_gives_the_boxes_of_the_model(trained: Outcome) -> None:
    file = trained.out / "models" / "best" / "best.onnx"
    assert onnx.load(str(file)).opset_import[0].version == 11
    images = np.random.default_rng(0).random((1, 3, 64, 64), np.float32)
    exported = onnxruntime.InferenceSession(str(file)).run(None, {"images": images})[0]
    with torch.inference_mode():
        expected = read_weights(trained.best)(torch.from_numpy(images))[0].numpy()
    assert exported.shape == (1, 4 + len(NAMES), 3 * 84)
    np.testing.assert_allclose(exported, expected, atol=1e-3)


@pytest.fixture(scope="module")
def tuned(trained: Outcome, samples: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Fine-tuned from the first training: other classes, other format, other defaults."""
    root = tmp_path_factory.mktemp("tuned") / "task"
    options = {"export_format": "voc:raw", "epochs": 1, "opset": 13, "args_options": "", "model": "yolov5s"}
    names = ("star", "disc", "triangle")
    env = write_training_task(
        root, samples[:16], samples[16:24], names, {**TRAINING, **options}, pretrained=[trained.best]
    )
    outcome = run_warm(env)
    assert outcome.status == 0
    return outcome


def test_fine_tuning_keeps_the_architecture_and_says_what_matched(tuned: Outcome) -> None:
    assert "the model is that of the weights, yolov5n" in tuned.log
    assert "tensors taken from best.pt" in tuned.log
    assert "classes that best.pt knows: star, disc, triangle; new ones: none" in tuned.log
    assert sum(p.numel() for p in read_weights(tuned.best).parameters()) < 3e6
    assert "Hardswish" in {type(module).__name__ for module in read_weights(tuned.best).modules()}


def test_by_default_only_the_best_model_is_kept(tuned: Outcome) -> None:
    assert list(tuned.result["model_stages"]) == ["best"]
    assert tuned.result["model_stages"]["best"]["files"] == ["best.pt", "best.onnx"]
    assert check_out(tuned.out.parent / "in" / "env.yaml") == []


def test_the_model_knows_its_class_names(tuned: Outcome) -> None:
    assert list(read_weights(tuned.best).names.values()) == ["star", "disc", "triangle"]


def test_opset_is_that_of_the_file(tuned: Outcome) -> None:
    assert onnx.load(str(tuned.out / "models" / "best" / "best.onnx")).opset_import[0].version == 13


def test_a_set_without_any_object_ends_well(samples: list, tmp_path: Path) -> None:
    empty = [sample.without_objects() for sample in samples[:12]]
    env = write_training_task(
        tmp_path / "t",
        empty[:8],
        empty[8:],
        NAMES,
        {**TRAINING, "epochs": 1, "export_format": "coco:raw", "activate": "relu"},
    )
    outcome = run_warm(env)
    assert outcome.status == 0
    assert outcome.result["model_stages"]["best"]["mAP"] == 0
    assert outcome.classes == [ClassMetrics(name, None, None, 0) for name in NAMES]
    assert "no object at all" in outcome.log
    assert "ReLU" in {type(module).__name__ for module in read_weights(outcome.best).modules()}


def test_a_loss_that_is_not_a_number_stops_the_training(samples: list, tmp_path: Path) -> None:
    options = {"args_options": "cls=1e38 box=1e38", "epochs": 3}
    env = write_training_task(tmp_path / "t", samples[:16], samples[16:20], NAMES, {**TRAINING, **options})
    outcome = run_warm(env)
    assert outcome.status == 70
    assert outcome.monitor[3:5] == ["4", "300201"]
    assert "lr0" in outcome.log.splitlines()[-1]


def test_too_many_broken_images_stop_the_training(samples: list, tmp_path: Path) -> None:
    bad = [broken("a.jpg"), broken("b.jpg")]
    env = write_training_task(tmp_path / "t", [*samples[:8], *bad], samples[8:12], NAMES, TRAINING)
    outcome = run_warm(env)
    assert outcome.status == 65
    assert outcome.monitor[4] == "300003"
    assert "max_bad_images" in outcome.log.splitlines()[-1]


def test_training_on_a_gpu_that_is_not_there_is_said_so(samples: list, tmp_path: Path) -> None:
    env = write_training_task(tmp_path / "t", samples[:8], samples[8:12], NAMES, TRAINING, gpu_id="0")
    outcome = run_warm(env, CUDA_VISIBLE_DEVICES="")
    assert (outcome.status, outcome.monitor[4]) == (69, "300102")


@pytest.mark.parametrize("model", ["yolo11n", "rtdetr-l"])
def test_other_detectors_of_ultralytics_train_too(model: str, samples: list, tmp_path: Path) -> None:
    options = {"model": model, "epochs": 1, "opset": 17, "batch_size_per_gpu": 4}
    env = write_training_task(tmp_path / "t", samples[:8], samples[8:12], NAMES, {**TRAINING, **options})
    outcome = run_warm(env)
    assert outcome.status == 0
    assert check_out(env) == []
    assert f"{model}: " in outcome.log
