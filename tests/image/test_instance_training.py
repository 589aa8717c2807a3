"""seg-all-in-one-tmi learns masks with ultralytics: what it writes, and what it starts from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from odd import broken, odd_forms
from tasks import NAMES, TRAINING, Outcome, assert_intact, assert_means, listing, run
from warm import run_warm

from common.contract import ObjectType
from common.yolo.checkpoint import read_weights
from common.yolo.rv1126 import DESCRIPTION, GRAPH, SECTION
from workbench.check import check_out
from workbench.masked import MaskedSample, render_masked, write_mask_annotations
from workbench.platform import write_training_task
from workbench.sample import Sample

IMAGE = "seg-all-in-one-tmi"
OPTIONS = {**TRAINING, "export_format": "seg-coco:raw", "model": "yolov5n-seg"}
METRICS = {"maskAP", "maskAP50_95", "boxAP", "boxAP50_95"}


@pytest.fixture(scope="module")
def masked() -> list[MaskedSample]:
    """Half of the objects have a hole, or are of several parts."""
    return render_masked(24, seed=1)


def without_objects(sample: Sample) -> MaskedSample:
    return MaskedSample(sample.without_objects(), np.full(sample.image.shape[:2], -1, np.int16))


def task(
    root: Path,
    train: Sequence[MaskedSample],
    val: Sequence[MaskedSample],
    names: Sequence[str] = NAMES,
    pretrained: Sequence[Path] = (),
    **options: object,
) -> Path:
    env = write_training_task(
        root,
        [item.sample for item in train],
        [item.sample for item in val],
        names,
        {**OPTIONS, **options},
        pretrained=pretrained,
        object_type=ObjectType.INSTANCE,
    )
    write_mask_annotations(root, train, val, names)
    return env


@pytest.fixture(scope="module")
def trained(masked: list[MaskedSample], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """From scratch, on files of every form, one of them broken and one without objects; every epoch is kept."""
    forms = odd_forms([item.sample for item in masked[:11]])
    odd = [MaskedSample(form, item.owners) for form, item in zip(forms, masked, strict=False)]
    train = [*odd, *masked[11:15], without_objects(masked[15].sample), without_objects(broken())]
    env = task(
        tmp_path_factory.mktemp("trained") / "task",
        train,
        masked[16:20],
        save_best_only="False",
        save_period=1,
        max_bad_images=0.1,
        opset=12,
        args_options="--exist-ok optimizer=SGD lr0=0.02",
    )
    before = listing(env.parent)
    outcome = run(env, image=IMAGE)
    assert outcome.status == 0
    assert listing(env.parent) == before, "nothing is written to /in"
    return outcome


def test_the_outputs_obey_the_contract(trained: Outcome) -> None:
    assert check_out(trained.out.parent / "in" / "env.yaml") == []
    assert trained.monitor[2:5] == ["1.0000", "2", "0"]
    assert not (trained.out / ".ymir").exists()


def test_every_stage_tells_the_precision_of_masks_and_boxes(trained: Outcome) -> None:
    result = trained.result
    assert result["object_type"] == 4
    assert set(result["model_stages"]) == {"best", "last", "epoch_1", "epoch_2"}
    for stage in result["model_stages"].values():
        assert {name for name in stage if "AP" in name} == METRICS
        assert all(0 <= stage[name] <= 1 for name in METRICS)
    assert result["attachments"] == {SECTION: [GRAPH, DESCRIPTION]}


def test_an_object_of_several_parts_is_one_object(trained: Outcome, masked: list[MaskedSample]) -> None:
    count = sum(len(item.sample.classes) for item in masked[:15])
    assert f"train: 16 images, {count} objects" in trained.log
    assert "broken.jpg: truncated JPEG" in trained.log


def test_log_curve_and_tensorboard_tell_what_the_best_epoch_is_judged_by(trained: Outcome) -> None:
    assert "epoch 2/2: loss " in trained.log
    assert all(f", {name} 0." in trained.log for name in METRICS)
    lines = (trained.out / "training-curve.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2"]
    content = b"".join(path.read_bytes() for path in (trained.out / "tensorboard").glob("*tfevents*"))
    assert b"metrics/mAP50_mask" in content
    assert b"metrics/mAP50_box" in content


def test_the_classes_are_told_one_by_one(trained: Outcome, masked: list[MaskedSample]) -> None:
    assert_means(trained, NAMES)
    objects = np.bincount(np.concatenate([item.sample.classes for item in masked[16:20]]), minlength=len(NAMES))
    assert [each.count for each in trained.classes] == objects.tolist()


def test_masks_that_cover_each_other_are_learned_apart(trained: Outcome) -> None:
    arguments = torch.load(trained.best, weights_only=False)["train_args"]
    assert (arguments["task"], arguments["overlap_mask"], arguments["mask_ratio"]) == ("segment", False, 4)
    assert (arguments["optimizer"], arguments["lr0"], arguments["imgsz"]) == ("SGD", 0.02, 64)


def test_from_scratch_the_model_is_that_of_yolov5(trained: Outcome) -> None:
    model = read_weights(trained.best)
    kinds = {type(module).__name__ for module in model.modules()}
    assert {"C3", "SPPF", "AnchoredSegment", "SiLU"} <= {kind.removeprefix("_") for kind in kinds}
    assert model.task == "segment"
    assert Path(model.yaml["yaml_file"]).stem == "yolov5n-seg"


def test_the_onnx_file_gives_boxes_coefficients_and_prototypes_of_the_model(trained: Outcome) -> None:
    session = onnxruntime.InferenceSession(str(trained.out / "models" / "best" / "best.onnx"))
    images = np.random.default_rng(0).random((1, 3, 64, 64), np.float32)
    cells, prototypes = session.run(None, {"images": images})
    with torch.inference_mode():
        (expected, expected_prototypes), _ = read_weights(trained.best)(torch.from_numpy(images))
    assert cells.shape == (1, 4 + len(NAMES) + 32, 3 * 84)
    np.testing.assert_allclose(cells, expected.numpy(), atol=1e-3)
    np.testing.assert_allclose(prototypes, expected_prototypes.numpy(), atol=1e-3)


def test_fine_tuning_keeps_the_architecture_with_other_classes(
    trained: Outcome, masked: list[MaskedSample], tmp_path: Path
) -> None:
    env = task(
        tmp_path / "t",
        masked[:8],
        masked[8:12],
        ("new", *NAMES),
        [trained.best],
        epochs=1,
        model="yolov5s-seg",
        activate="relu",
        args_options="overlap_mask=True mask_ratio=2",
    )
    outcome = run_warm(env, image=IMAGE)
    assert outcome.status == 0
    assert check_out(env) == []
    assert list(outcome.result["model_stages"]) == ["best"]
    assert "the model is that of the weights, yolov5n-seg" in outcome.log
    assert "tensors taken from best.pt" in outcome.log
    assert f"classes that best.pt knows: {', '.join(NAMES)}; new ones: new" in outcome.log
    assert "activate: ReLU is not what best.pt was trained with" in outcome.log
    model = read_weights(outcome.best)
    assert list(model.names.values()) == ["new", *NAMES]
    assert "SiLU" not in {type(module).__name__ for module in model.modules()}
    arguments = torch.load(outcome.best, weights_only=False)["train_args"]
    assert (arguments["overlap_mask"], arguments["mask_ratio"]) == (True, 2)


def test_a_training_that_starts_from_a_detector_goes_on_after_a_kill(
    lively: Path, masked: list[MaskedSample], tmp_path: Path
) -> None:
    env = task(tmp_path / "t", masked[:16], masked[16:20], pretrained=[lively], epochs=4)
    killed = run_warm(env, IMAGE, when=(tmp_path / "t" / "out" / "models" / "result.yaml").exists)
    assert_intact(killed.out)
    assert "holds a detector: yolov5n-seg takes the tensors that fit" in killed.log
    taken, all_of_it = next(line for line in killed.log.splitlines() if "tensors taken" in line).split()[4:7:2]
    assert 0.8 < int(taken) / int(all_of_it) < 1
    again = run_warm(env, image=IMAGE)
    assert again.status == 0
    assert "tensors taken" not in again.log
    assert "epochs 1 to 4" not in again.log
    assert "epoch 4/4" in again.log
    curve = (again.out / "training-curve.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[0] for line in curve] == ["1", "2", "3", "4"]
    assert check_out(env) == []
    assert_means(again, NAMES)


@pytest.mark.parametrize(("model", "empty"), [("yolo11n-seg", False), ("yolo26n-seg", True)])
def test_other_models_of_ultralytics_train_too(
    model: str, empty: bool, masked: list[MaskedSample], tmp_path: Path
) -> None:
    """One of them without anything to find in the validation set."""
    val = [without_objects(item.sample) if empty else item for item in masked[8:12]]
    env = task(tmp_path / "t", masked[:8], val, model=model, epochs=1, opset=17)
    outcome = run_warm(env, image=IMAGE)
    assert outcome.status == 0
    assert check_out(env) == []
    assert f"{model}: " in outcome.log
    assert ("val: no object at all" in outcome.log) == empty
