"""The hyper-parameters of the OpenMMLab images: every row of the seed documents, from the form to the engine."""

import json
from typing import Any

import pytest
import yaml
from forms import models_of, sent_by_the_form, template_text, typed

from common.contract import Verb
from common.errors import ConfigError
from common.task.mining_settings import MiningSettings
from common.task.params import CandidateOptions
from common.task.rendering import template

MMYOLO, MMDETECTION, MMROTATE = "det-mmyolo-tmi", "det-mmdetection-tmi", "rot-mmrotate-tmi"
UPRIGHT = (MMYOLO, MMDETECTION)
IMAGES = (*UPRIGHT, MMROTATE)
MODELS = {image: models_of(image) for image in IMAGES}

SEED: dict[str, dict[Verb, dict[str, Any]]] = {
    MMYOLO: {
        Verb.TRAINING: {
            "shm_size": "128G",
            "export_format": "ark:raw",
            "model_name": "yolov8_n",
            "samples_per_gpu": 8,
            "workers_per_gpu": 4,
            "max_epochs": 100,
            "args_options": "",
            "cfg_options": "",
            "metric": "bbox",
            "val_interval": 1,
            "max_keep_checkpoints": 1,
        },
        Verb.INFER: {"conf_threshold": 0.2},
        Verb.MINING: {"mining_algorithm": "entropy", "conf_threshold": 0.1},
    },
    MMDETECTION: {
        Verb.TRAINING: {
            "shm_size": "128G",
            "export_format": "ark:raw",
            "config_file": "configs/yolox/yolox_tiny_8x8_300e_coco.py",
            "samples_per_gpu": 16,
            "workers_per_gpu": 4,
            "max_epochs": 100,
            "args_options": "",
            "cfg_options": "",
            "metric": "bbox",
            "val_interval": 1,
            "max_keep_checkpoints": 1,
        },
        Verb.INFER: {"shm_size": "128G", "conf_threshold": 0.2, "cfg_options": ""},
        Verb.MINING: {"shm_size": "128G", "mining_algorithm": "aldd", "cfg_options": ""},
    },
    MMROTATE: {
        Verb.TRAINING: {
            "shm_size": "128G",
            "export_format": "ark:raw",
            "model_name": "rtmdet_tiny",  # yolov8_n there: a model of another image
            "samples_per_gpu": 8,
            "workers_per_gpu": 4,
            "max_epochs": 100,
            "args_options": "",
            "cfg_options": "",
            "img_size": 512,
            "val_interval": 1,
            "max_keep_checkpoints": 1,
        },
        Verb.INFER: {"conf_threshold": 0.2, "iou_threshold": -1.0},  # 0.65 there; the model's own, as the issue asks
        Verb.MINING: {"mining_algorithm": "entropy", "conf_threshold": 0.1, "iou_threshold": -1.0},
    },
}
"""The tables of the seed documents, row by row."""

BOTH = {"img_size": 0, "max_bad_images": 0.01}
ROTATED = {"angle_unit": "", "tile_size": 0, "tile_overlap": 200}
CANDIDATES = BOTH | {"shm_size": "128G", "iou_threshold": 0.65, "workers_per_gpu": 4, "cfg_options": ""}
MINING = CANDIDATES | {"conf_threshold": 0.1, "class_distribution_scores": ""}
OURS: dict[str, dict[Verb, dict[str, Any]]] = {
    MMYOLO: {
        Verb.TRAINING: BOTH | {"amp": True},
        Verb.INFER: CANDIDATES | {"samples_per_gpu": 8},
        Verb.MINING: MINING | {"samples_per_gpu": 8},
    },
    MMDETECTION: {
        Verb.TRAINING: BOTH | {"amp": False},
        Verb.INFER: CANDIDATES | {"samples_per_gpu": 16},
        Verb.MINING: MINING | {"samples_per_gpu": 16},
    },
    MMROTATE: {
        Verb.TRAINING: BOTH | {"amp": False, "angle_unit": "radian"},
        Verb.INFER: CANDIDATES | ROTATED | {"samples_per_gpu": 8},
        Verb.MINING: MINING | ROTATED | {"samples_per_gpu": 8},
    },
}
"""What the seeds do not have, or not for this image and task."""

CASES = [(image, verb) for image in IMAGES for verb in Verb]


def defaults(image: str, verb: Verb) -> dict[str, Any]:
    return OURS[image][verb] | SEED[image][verb]


def parse(image: str, verb: Verb, **raw: Any) -> Any:
    return MODELS[image][verb].parse(raw, verb)


def refusal(image: str, verb: Verb, **raw: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        parse(image, verb, **raw)
    return str(raised.value)


# the seeds' rows: those that all images share are looked at in one of them


@pytest.mark.parametrize(("image", "verb"), CASES)
def test_names_and_defaults_are_the_seeds(image: str, verb: Verb) -> None:
    assert typed(MODELS[image][verb]().model_dump()) == typed(defaults(image, verb))


@pytest.mark.parametrize(("image", "verb"), CASES)
def test_the_template_that_the_platform_reads_holds_exactly_the_defaults(image: str, verb: Verb) -> None:
    text = template_text(image, verb)
    loaded = yaml.safe_load(text)
    assert typed(loaded) == typed(defaults(image, verb))
    assert json.loads(json.dumps(loaded)) == loaded
    assert text == template(MODELS[image][verb], verb, image)


@pytest.mark.parametrize("image", IMAGES)
def test_the_form_of_a_training_asks_in_the_seeds_order(image: str) -> None:
    shown = list(yaml.safe_load(template_text(image, Verb.TRAINING)))
    seed = list(SEED[image][Verb.TRAINING])
    assert [key for key in shown if key in seed] == seed
    assert shown[:3] == seed[:3]  # the model comes third, though its parameter is declared by the image


@pytest.mark.parametrize(("image", "verb"), CASES)
def test_an_untouched_form_gives_the_defaults(image: str, verb: Verb) -> None:
    assert parse(image, verb, **sent_by_the_form(image, verb, {})) == MODELS[image][verb]()


@pytest.mark.parametrize(("image", "verb"), CASES)
def test_the_form_of_an_older_image_gives_the_defaults_of_what_it_does_not_have(image: str, verb: Verb) -> None:
    """It has the seed's rows only: that img_size, workers or a threshold is absent does not mean that it is 0."""
    shown = sent_by_the_form(image, verb, {})
    raw = {key: value for key, value in shown.items() if key in SEED[image][verb]}
    assert parse(image, verb, **raw) == MODELS[image][verb]()


@pytest.mark.parametrize(
    ("verb", "edits"),
    [
        (Verb.INFER, {"conf_threshold": 0}),  # the form drops 0
        (Verb.INFER, {"iou_threshold": 0, "workers_per_gpu": 0}),
        (Verb.INFER, {"img_size": 320, "conf_threshold": 0.6}),
        (Verb.INFER, {"cfg_options": "model.test_cfg.max_per_img=300"}),
        (Verb.MINING, {"conf_threshold": 0, "mining_algorithm": "cald"}),
        (Verb.MINING, {"workers_per_gpu": 0, "class_distribution_scores": "1.0,0.5"}),
        (Verb.TRAINING, {"workers_per_gpu": 0, "amp": False}),  # a training's form drops neither 0 nor False
        (Verb.TRAINING, {"amp": True, "img_size": 416, "max_keep_checkpoints": -1}),
        (Verb.TRAINING, {"args_options": "--amp", "cfg_options": "model.test_cfg.score_thr=0.01"}),
    ],
)
def test_what_a_person_enters_in_the_form_is_what_the_image_gets(verb: Verb, edits: dict[str, Any]) -> None:
    parsed = parse(MMYOLO, verb, **sent_by_the_form(MMYOLO, verb, edits))
    assert parsed.model_dump() == defaults(MMYOLO, verb) | edits


@pytest.mark.parametrize(
    ("verb", "edits"),
    [
        (Verb.INFER, {"angle_unit": "pi", "tile_size": 1024, "tile_overlap": 0}),  # the form drops this 0 too
        (Verb.INFER, {"iou_threshold": 0.3, "tile_size": 0}),
        (Verb.MINING, {"iou_threshold": 1.0, "tile_size": 512, "tile_overlap": 100}),
        (Verb.TRAINING, {"angle_unit": "pi", "img_size": 0}),
    ],
)
def test_what_a_person_enters_about_rotated_boxes_is_what_the_image_gets(verb: Verb, edits: dict[str, Any]) -> None:
    parsed = parse(MMROTATE, verb, **sent_by_the_form(MMROTATE, verb, edits))
    assert parsed.model_dump() == defaults(MMROTATE, verb) | edits


@pytest.mark.parametrize(
    ("verb", "raw"),
    [
        (Verb.MINING, {"mining_algorithm": "random"}),
        (Verb.MINING, {"shm_size": "64G", "mining_algorithm": "entropy"}),
        (Verb.INFER, {}),
        (Verb.INFER, {"shm_size": "64G"}),
        (Verb.INFER, {"conf_threshold": 0.5, "img_size": 64}),
        (Verb.TRAINING, {"max_epochs": 3}),
    ],
)
def test_in_a_config_written_by_hand_an_absent_key_means_its_default(verb: Verb, raw: dict[str, Any]) -> None:
    assert parse(MMYOLO, verb, **raw).model_dump() == defaults(MMYOLO, verb) | raw


# values


@pytest.mark.parametrize(
    ("verb", "key", "value", "expected"),
    [
        (Verb.TRAINING, "amp", "False", False),  # an edited boolean
        (Verb.TRAINING, "max_epochs", "20", 20),
        (Verb.TRAINING, "max_keep_checkpoints", "-1", -1),
        (Verb.TRAINING, "img_size", 32, 32),
        (Verb.MINING, "mining_algorithm", "ALDD", "aldd"),
        (Verb.MINING, "class_distribution_scores", [1.0, 0.5], "1.0,0.5"),
    ],
)
def test_values_in_other_spellings_are_taken(verb: Verb, key: str, value: Any, expected: Any) -> None:
    assert parse(MMYOLO, verb, **{key: value}).model_dump()[key] == expected


@pytest.mark.parametrize(
    ("image", "verb", "key", "value", "expected"),
    [
        (MMYOLO, Verb.TRAINING, "metric", "BBox", "bbox"),
        (MMDETECTION, Verb.TRAINING, "metric", "Proposal", "proposal"),
        (MMROTATE, Verb.TRAINING, "angle_unit", "PI", "pi"),
        (MMROTATE, Verb.INFER, "angle_unit", "Radian", "radian"),
    ],
)
def test_a_choice_is_taken_in_any_case(image: str, verb: Verb, key: str, value: str, expected: str) -> None:
    assert getattr(parse(image, verb, **{key: value}), key) == expected


@pytest.mark.parametrize(
    ("verb", "key", "value", "field"),
    [
        (Verb.TRAINING, "epochs", 3, "max_epochs"),
        (Verb.TRAINING, "batch_size_per_gpu", 3, "samples_per_gpu"),
        (Verb.TRAINING, "num_workers_per_gpu", 3, "workers_per_gpu"),
        (Verb.INFER, "batch_size_per_gpu", 3, "samples_per_gpu"),
        (Verb.INFER, "conf_thres", 0.5, "conf_threshold"),
        (Verb.MINING, "iou_thres", 0.5, "iou_threshold"),
    ],
)
def test_the_other_spelling_of_a_key_is_taken(verb: Verb, key: str, value: Any, field: str) -> None:
    assert getattr(parse(MMYOLO, verb, **{key: value}), field) == value


@pytest.mark.parametrize(
    ("verb", "key", "value", "words"),
    [
        (Verb.TRAINING, "max_epochs", 0, ["0", ">= 1"]),
        (Verb.TRAINING, "samples_per_gpu", 0, ["0", ">= 1"]),
        (Verb.TRAINING, "val_interval", 0, ["0", ">= 1"]),
        (Verb.TRAINING, "max_keep_checkpoints", 0, ["0", "-1", ">= 1"]),
        (Verb.TRAINING, "max_keep_checkpoints", -2, ["-2", ">= -1"]),
        (Verb.TRAINING, "img_size", 31, ["31", "0, or an integer >= 32"]),
        (Verb.TRAINING, "img_size", -1, ["-1", ">= 0"]),
        (Verb.TRAINING, "amp", "perhaps", ["'perhaps'", "true or false"]),
        (Verb.TRAINING, "args_options", "--work-dir x", ["'--work-dir'", "the platform gives the output folder"]),
        (Verb.TRAINING, "args_options", "--apm", ["'--apm'", "nearest", "--amp"]),
        (Verb.TRAINING, "cfg_options", "optimizer.lr=1", ["'optimizer.lr'", "optim_wrapper.optimizer.lr"]),
        (Verb.TRAINING, "cfg_options", "train_cfg.max_epochs=3", ["give the parameter max_epochs"]),
        (Verb.INFER, "cfg_options", "--amp", ["'--amp'", "key=value"]),
        (Verb.INFER, "conf_threshold", 1.5, ["1.5", ">= 0 <= 1"]),
        (Verb.INFER, "iou_threshold", "high", ["'high'", "number"]),
        (Verb.INFER, "iou_threshold", 1.5, ["1.5", ">= 0 <= 1"]),
        (Verb.INFER, "img_size", 16, ["16", "0, or an integer >= 32"]),
        (Verb.MINING, "mining_algorithm", "entopy", ["'entopy'", "did you mean entropy?"]),
        (Verb.MINING, "class_distribution_scores", "1.0,x", ["'1.0,x'", "commas"]),
    ],
)
def test_a_wrong_value_is_refused_with_key_value_and_what_is_allowed(
    verb: Verb, key: str, value: Any, words: list[str]
) -> None:
    message = refusal(MMYOLO, verb, **{key: value})
    assert all(word in message for word in [f"{key}: ", *words])


@pytest.mark.parametrize("image", UPRIGHT)
def test_a_wrong_metric_is_refused_with_the_nearest(image: str) -> None:
    message = refusal(image, Verb.TRAINING, metric="bbx")
    assert all(word in message for word in ["metric: ", "'bbx'", "bbox, proposal", "did you mean bbox?"])


@pytest.mark.parametrize(
    ("verb", "raw", "words"),
    [
        (Verb.TRAINING, {"angle_unit": "degree"}, ["angle_unit: ", "'degree'", "radian, pi"]),
        (Verb.INFER, {"angle_unit": "degree"}, ["angle_unit: ", "'degree'", "empty, or one of radian, pi"]),
        (Verb.INFER, {"iou_threshold": -0.5}, ["iou_threshold: ", "-0.5", "-1, or a number >= 0 <= 1"]),
        (Verb.MINING, {"iou_threshold": 1.5}, ["iou_threshold: ", "1.5", "-1, or a number >= 0 <= 1"]),
        (Verb.MINING, {"tile_size": 31}, ["tile_size: ", "31", "0, or an integer >= 32"]),
        (Verb.MINING, {"tile_overlap": -1}, ["tile_overlap: ", "-1", ">= 0"]),
        (
            Verb.MINING,
            {"tile_size": 200},
            ["tile_overlap: ", "200", "less than tile_size, which is 200"],
        ),
    ],
)
def test_what_makes_no_sense_of_rotated_boxes_is_refused(verb: Verb, raw: dict[str, Any], words: list[str]) -> None:
    message = refusal(MMROTATE, verb, **raw)
    assert all(word in message for word in words)


@pytest.mark.parametrize(
    ("image", "key", "value", "near"),
    [
        (MMYOLO, "model_name", "yolov8_q", "yolov8_"),
        (MMYOLO, "model_name", "", ""),
        (MMDETECTION, "config_file", "configs/yolox/yolox_tinny_8x8_300e_coco.py", "yolox_tiny_8x8_300e_coco"),
        (MMDETECTION, "config_file", "yolov8_n", "yolo"),
        (MMROTATE, "model_name", "rtmdet_tinny", "rtmdet_tiny"),
    ],
)
def test_an_unknown_model_is_refused_with_the_nearest(image: str, key: str, value: str, near: str) -> None:
    message = refusal(image, Verb.TRAINING, **{key: value})
    assert message.startswith(f"{key}: {value!r} is not a known configuration; nearest: ")
    assert near in message.partition("nearest:")[2]


def test_the_default_of_the_seed_document_is_refused_with_the_short_names_that_exist() -> None:
    message = refusal(MMROTATE, Verb.TRAINING, model_name="yolov8_n")
    names = [f"rtmdet_{size}{form}" for size in ("tiny", "s", "m", "l") for form in ("", "_ms")]
    assert message.startswith("model_name: 'yolov8_n' is not a known configuration")
    assert message.endswith(f"; short names: {', '.join(names)}")


def test_mistakes_of_all_kinds_are_told_at_once() -> None:
    raw = {"model_name": "yolov9_n", "epoch": 3, "metric": "map", "args_options": "--resume", "cfg_options": "x"}
    message = refusal(MMYOLO, Verb.TRAINING, **raw)
    assert all(f"{key}: " in message for key in raw)


# what the engine gets


@pytest.mark.parametrize(
    ("image", "raw", "key"),
    [
        (MMYOLO, {}, "yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py"),
        (MMYOLO, {"model_name": "RTMDet-tiny"}, "rtmdet/rtmdet_tiny_syncbn_fast_8xb32-300e_coco.py"),
        (MMYOLO, {"model_name": "yolov6_s_fast_1xb12-40e_cat"}, "yolov6/yolov6_s_fast_1xb12-40e_cat.py"),
        (MMDETECTION, {}, "yolox/yolox_tiny_8xb8-300e_coco.py"),
        (MMDETECTION, {"config_file": "configs/yolox/yolox_s_8xb8-300e_coco.py"}, "yolox/yolox_s_8xb8-300e_coco.py"),
        (MMDETECTION, {"config_file": "faster-rcnn_r50_fpn_1x_coco"}, "faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py"),
        (MMROTATE, {}, "rotated_rtmdet/rotated_rtmdet_tiny-3x-dota.py"),
        (MMROTATE, {"model_name": "RTMDet-m-ms"}, "rotated_rtmdet/rotated_rtmdet_m-3x-dota_ms.py"),
        (
            MMROTATE,
            {"model_name": "oriented-rcnn-le90_r50_fpn_1x_dota"},
            "oriented_rcnn/oriented-rcnn-le90_r50_fpn_1x_dota.py",
        ),
    ],
)
def test_the_chosen_model_means_one_configuration(image: str, raw: dict[str, Any], key: str) -> None:
    assert parse(image, Verb.TRAINING, **raw).config_key == key


@pytest.mark.parametrize(("image", "package"), [(MMYOLO, "mmyolo"), (MMDETECTION, "mmdet"), (MMROTATE, "mmrotate")])
def test_every_task_knows_its_package(image: str, package: str) -> None:
    assert [model.package for model in MODELS[image].values()] == [package] * 3


@pytest.mark.parametrize("image", IMAGES)
def test_the_engine_gets_the_parameters_under_its_own_names(image: str) -> None:
    raw = {"samples_per_gpu": 3, "workers_per_gpu": 2, "max_bad_images": 0.5}
    assert parse(image, Verb.INFER, **raw).options() == CandidateOptions("", 3, 2, 0.5)
    mining = raw | {"mining_algorithm": "aldd", "class_distribution_scores": "1, 0.5,0"}
    assert parse(image, Verb.MINING, **mining).options() == CandidateOptions(
        "aldd", 3, 2, 0.5, MiningSettings(class_weights=(1.0, 0.5, 0.0))
    )
