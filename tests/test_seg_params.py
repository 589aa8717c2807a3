"""The hyper-parameters of seg-all-in-one-tmi: every row of the seed document, for each object type."""

import json
from typing import Any, get_args

import pytest
import yaml
from forms import models_of, sent_by_the_form, template_text, typed

from common.contract import ObjectType, Verb
from common.errors import ConfigError
from common.mining.measures.superpixels import NAMES as SUPERPIXELS
from common.mining.registry import ALGORITHMS
from common.task.mining_settings import MiningSettings
from common.task.params import CandidateOptions
from common.task.rendering import template

IMAGE = "seg-all-in-one-tmi"
DETECTION, SEMANTIC, INSTANCE = ObjectType.DETECTION, ObjectType.SEMANTIC, ObjectType.INSTANCE
TYPES = (DETECTION, SEMANTIC, INSTANCE)
MODELS = {object_type: models_of(IMAGE, object_type) for object_type in TYPES}

YOLO_TRAINING = {
    "shm_size": "128G",
    "batch_size_per_gpu": 16,
    "num_workers_per_gpu": 4,
    "epochs": 100,
    "img_size": 640,
    "opset": 11,
    "args_options": "--exist-ok",
    "save_best_only": True,
    "save_period": 10,
    "sync_bn": False,
}
YOLO_INFER = {
    "shm_size": "128G",
    "img_size": 640,
    "conf_thres": 0.25,
    "iou_thres": 0.45,
    "batch_size_per_gpu": 16,
    "num_workers_per_gpu": 4,
    "pin_memory": False,
}
MMSEG_INFER = {"shm_size": "128G", "samples_per_gpu": 2, "workers_per_gpu": 2}

SEED: dict[ObjectType, dict[Verb, dict[str, Any]]] = {
    DETECTION: {
        Verb.TRAINING: YOLO_TRAINING | {"export_format": "ark:raw", "model": "yolov5s", "activate": ""},
        Verb.INFER: YOLO_INFER,
        Verb.MINING: YOLO_INFER | {"mining_algorithm": "aldd", "class_distribution_scores": ""},
    },
    SEMANTIC: {
        Verb.TRAINING: {
            "export_format": "seg-coco:raw",
            "shm_size": "128G",
            "config_file": "configs/fastscnn/fast_scnn_lr0.12_8x4_160k_cityscapes.py",
            "samples_per_gpu": 2,
            "workers_per_gpu": 2,
            "max_iters": 20000,
            "interval": 2000,
            "args_options": "",
            "cfg_options": "",
            "save_least_file": True,
            "max_keep_ckpts": -1,
            "ignore_black_area": False,
        },
        Verb.INFER: MMSEG_INFER,
        Verb.MINING: MMSEG_INFER
        | {
            "mining_algorithm": "RSAL",
            "superpixel_algorithm": "slico",
            "uncertainty_method": "BvSB",
            "max_superpixel_per_image": 1024,
            "max_kept_mining_image": 5000,
            "topk_superpixel_score": 3,
            "class_balance": True,
            "fp16": True,
            "ripu_region_radius": 1,
        },
    },
    INSTANCE: {
        Verb.TRAINING: YOLO_TRAINING | {"export_format": "seg-coco:raw", "model": "yolov5s-seg"},
        Verb.INFER: YOLO_INFER,
        Verb.MINING: YOLO_INFER | {"mining_algorithm": "apis"},
    },
}
"""The tables of the seed document, row by row."""

BAD = {"max_bad_images": 0.01}
VIEW = BAD | {"img_size": 0, "mode": "", "cfg_options": ""}
OURS: dict[ObjectType, dict[Verb, dict[str, Any]]] = {
    DETECTION: dict.fromkeys(Verb, BAD),
    SEMANTIC: {Verb.TRAINING: BAD | {"img_size": 0, "amp": False}, Verb.INFER: VIEW, Verb.MINING: VIEW},
    INSTANCE: {
        Verb.TRAINING: BAD | {"activate": ""},
        Verb.INFER: BAD,
        Verb.MINING: BAD | {"class_distribution_scores": "", "mcd_iterations": 10},
    },
}
"""What the seed does not have, or not for this object type and task."""

CASES = [(object_type, verb) for object_type in TYPES for verb in Verb]


def defaults(object_type: ObjectType, verb: Verb) -> dict[str, Any]:
    return SEED[object_type][verb] | OURS[object_type][verb]


def parse(object_type: ObjectType, verb: Verb, **raw: Any) -> Any:
    return MODELS[object_type][verb].parse(raw, verb)


def refusal(object_type: ObjectType, verb: Verb, **raw: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        parse(object_type, verb, **raw)
    return str(raised.value)


# the seed's rows


@pytest.mark.parametrize(("object_type", "verb"), CASES)
def test_names_and_defaults_are_the_seeds(object_type: ObjectType, verb: Verb) -> None:
    assert typed(MODELS[object_type][verb]().model_dump()) == typed(defaults(object_type, verb))


@pytest.mark.parametrize(("object_type", "verb"), CASES)
def test_the_template_that_the_platform_reads_holds_exactly_the_defaults(object_type: ObjectType, verb: Verb) -> None:
    text = template_text(IMAGE, verb, object_type)
    loaded = yaml.safe_load(text)
    assert typed(loaded) == typed(defaults(object_type, verb))
    assert json.loads(json.dumps(loaded)) == loaded
    assert text == template(MODELS[object_type][verb], verb, IMAGE)


@pytest.mark.parametrize("object_type", TYPES)
def test_the_form_of_a_training_asks_for_the_model_first(object_type: ObjectType) -> None:
    shown = list(yaml.safe_load(template_text(IMAGE, Verb.TRAINING, object_type)))
    assert shown[:3] == ["shm_size", "export_format", "config_file" if object_type is SEMANTIC else "model"]


@pytest.mark.parametrize(("object_type", "verb"), CASES)
def test_an_untouched_form_gives_the_defaults(object_type: ObjectType, verb: Verb) -> None:
    assert parse(object_type, verb, **sent_by_the_form(IMAGE, verb, {}, object_type)) == MODELS[object_type][verb]()


@pytest.mark.parametrize(("object_type", "verb"), CASES)
def test_the_form_of_an_older_image_gives_the_defaults_of_what_it_does_not_have(
    object_type: ObjectType, verb: Verb
) -> None:
    shown = sent_by_the_form(IMAGE, verb, {}, object_type)
    raw = {key: value for key, value in shown.items() if key in SEED[object_type][verb]}
    assert parse(object_type, verb, **raw) == MODELS[object_type][verb]()


@pytest.mark.parametrize(
    ("object_type", "verb", "edits"),
    [
        (SEMANTIC, Verb.TRAINING, {"save_least_file": False, "max_keep_ckpts": 3, "workers_per_gpu": 0}),
        (SEMANTIC, Verb.TRAINING, {"ignore_black_area": True, "img_size": 512, "max_iters": 800, "interval": 80}),
        (SEMANTIC, Verb.TRAINING, {"args_options": "--amp --seed 3", "cfg_options": "model.test_cfg.mode=slide"}),
        (SEMANTIC, Verb.INFER, {"mode": "slide", "img_size": 1024, "workers_per_gpu": 0}),  # the form drops 0
        (SEMANTIC, Verb.MINING, {"class_balance": False, "fp16": False}),  # and False
        (SEMANTIC, Verb.MINING, {"mining_algorithm": "RIPU", "ripu_region_radius": 2, "topk_superpixel_score": 10}),
        (SEMANTIC, Verb.MINING, {"superpixel_algorithm": "seeds", "max_superpixel_per_image": 256}),
        (INSTANCE, Verb.TRAINING, {"model": "yolo11n-seg", "activate": "ReLU"}),
        (INSTANCE, Verb.INFER, {"conf_thres": 0, "pin_memory": True}),
        (INSTANCE, Verb.MINING, {"mining_algorithm": "maskAL", "mcd_iterations": 5, "conf_thres": 0}),
        (DETECTION, Verb.TRAINING, {"activate": "Hardswish", "model": "yolov5n6"}),
        (DETECTION, Verb.MINING, {"mining_algorithm": "cald", "iou_thres": 0}),
    ],
)
def test_what_a_person_enters_in_the_form_is_what_the_image_gets(
    object_type: ObjectType, verb: Verb, edits: dict[str, Any]
) -> None:
    parsed = parse(object_type, verb, **sent_by_the_form(IMAGE, verb, edits, object_type))
    assert parsed.model_dump() == defaults(object_type, verb) | edits


def test_the_form_of_the_seed_can_turn_off_what_is_true_by_default() -> None:
    """It has the seed's rows only, and drops what is false."""
    raw = SEED[SEMANTIC][Verb.MINING] | {"class_balance": False, "fp16": False}
    parsed = parse(SEMANTIC, Verb.MINING, **{key: value for key, value in raw.items() if value})
    assert (parsed.class_balance, parsed.fp16) == (False, False)


@pytest.mark.parametrize(
    ("object_type", "verb", "raw"),
    [
        (SEMANTIC, Verb.TRAINING, {"max_iters": 100}),
        (SEMANTIC, Verb.INFER, {}),
        (SEMANTIC, Verb.MINING, {"mining_algorithm": "RIPU"}),
        (INSTANCE, Verb.TRAINING, {"epochs": 3}),
        (INSTANCE, Verb.MINING, {"mining_algorithm": "entropy"}),
    ],
)
def test_in_a_config_written_by_hand_an_absent_key_means_its_default(
    object_type: ObjectType, verb: Verb, raw: dict[str, Any]
) -> None:
    assert parse(object_type, verb, **raw).model_dump() == defaults(object_type, verb) | raw


# values


@pytest.mark.parametrize(
    ("object_type", "verb", "key", "value", "expected"),
    [
        (SEMANTIC, Verb.TRAINING, "save_least_file", "False", False),  # an edited boolean
        (SEMANTIC, Verb.TRAINING, "max_keep_ckpts", "-1", -1),
        (SEMANTIC, Verb.MINING, "mining_algorithm", "rsal", "RSAL"),
        (SEMANTIC, Verb.MINING, "mining_algorithm", "Entropy", "entropy"),
        (SEMANTIC, Verb.MINING, "superpixel_algorithm", "SLICO", "slico"),
        (SEMANTIC, Verb.MINING, "uncertainty_method", "bvsb", "BvSB"),
        (SEMANTIC, Verb.INFER, "mode", "Slide", "slide"),
        (INSTANCE, Verb.MINING, "mining_algorithm", "maskal", "maskAL"),
        (INSTANCE, Verb.MINING, "mining_algorithm", "APIS", "apis"),
        (INSTANCE, Verb.MINING, "class_distribution_scores", [1.0, 0.5], "1.0,0.5"),
        (INSTANCE, Verb.TRAINING, "export_format", "coco:raw", "coco:raw"),
        (DETECTION, Verb.TRAINING, "activate", "nn.ReLU()", "ReLU"),
        (INSTANCE, Verb.TRAINING, "activate", "hardswish", "Hardswish"),
    ],
)
def test_values_in_other_spellings_are_taken(
    object_type: ObjectType, verb: Verb, key: str, value: Any, expected: Any
) -> None:
    assert parse(object_type, verb, **{key: value}).model_dump()[key] == expected


@pytest.mark.parametrize(
    ("object_type", "verb", "key", "value", "field"),
    [
        (SEMANTIC, Verb.TRAINING, "ignore_blank_area", True, "ignore_black_area"),
        (SEMANTIC, Verb.TRAINING, "batch_size_per_gpu", 3, "samples_per_gpu"),
        (SEMANTIC, Verb.MINING, "num_workers_per_gpu", 3, "workers_per_gpu"),
        (INSTANCE, Verb.TRAINING, "activation", "ReLU", "activate"),
        (INSTANCE, Verb.MINING, "conf_threshold", 0.5, "conf_thres"),
    ],
)
def test_the_other_spelling_of_a_key_is_taken(
    object_type: ObjectType, verb: Verb, key: str, value: Any, field: str
) -> None:
    assert getattr(parse(object_type, verb, **{key: value}), field) == value


def test_a_black_area_that_is_not_blank_is_a_contradiction() -> None:
    message = refusal(SEMANTIC, Verb.TRAINING, ignore_black_area=True, ignore_blank_area=False)
    assert "ignore_black_area and ignore_blank_area mean the same, but differ: [True, False]" in message
    assert parse(SEMANTIC, Verb.TRAINING, ignore_black_area=True, ignore_blank_area=True).ignore_black_area


@pytest.mark.parametrize(
    ("object_type", "verb", "key", "value", "words"),
    [
        (SEMANTIC, Verb.TRAINING, "max_iters", 0, ["0", ">= 1"]),
        (SEMANTIC, Verb.TRAINING, "interval", 0, ["0", ">= 1"]),
        (SEMANTIC, Verb.TRAINING, "max_keep_ckpts", 0, ["0", "-1", ">= 1"]),
        (SEMANTIC, Verb.TRAINING, "max_keep_ckpts", -2, ["-2", ">= -1"]),
        (SEMANTIC, Verb.TRAINING, "img_size", 31, ["31", "0, or an integer >= 32"]),
        (SEMANTIC, Verb.TRAINING, "ignore_black_area", "perhaps", ["'perhaps'", "true or false"]),
        (
            SEMANTIC,
            Verb.TRAINING,
            "cfg_options",
            "runner.max_iters=9",
            ["'runner.max_iters'", "the parameter max_iters"],
        ),
        (SEMANTIC, Verb.TRAINING, "cfg_options", "evaluation.interval=9", ["give the parameter interval"]),
        (SEMANTIC, Verb.TRAINING, "args_options", "--work-dir x", ["'--work-dir'", "output folder"]),
        (SEMANTIC, Verb.INFER, "mode", "tile", ["'tile'", "empty, or one of whole, slide"]),
        (SEMANTIC, Verb.INFER, "cfg_options", "--amp", ["'--amp'", "key=value"]),
        (SEMANTIC, Verb.INFER, "img_size", 16, ["16", "0, or an integer >= 32"]),
        (SEMANTIC, Verb.MINING, "mining_algorithm", "aldd", ["'aldd'", "RSAL, RIPU, entropy, random"]),
        (
            SEMANTIC,
            Verb.MINING,
            "superpixel_algorithm",
            "slik",
            ["'slik'", "slico, slic, mslic, seeds", "did you mean"],
        ),
        (SEMANTIC, Verb.MINING, "uncertainty_method", "margin", ["'margin'", "BvSB"]),
        (SEMANTIC, Verb.MINING, "max_superpixel_per_image", 0, ["0", ">= 1"]),
        (SEMANTIC, Verb.MINING, "max_kept_mining_image", 0, ["0", ">= 1"]),
        (SEMANTIC, Verb.MINING, "topk_superpixel_score", 0, ["0", ">= 1"]),
        (SEMANTIC, Verb.MINING, "ripu_region_radius", 0, ["0", ">= 1"]),
        (INSTANCE, Verb.TRAINING, "model", "yolov5s", ["'yolov5s'", "nearest", "yolov5s-seg"]),
        (INSTANCE, Verb.TRAINING, "activate", "swosh", ["'swosh'", "SiLU"]),
        (INSTANCE, Verb.MINING, "mining_algorithm", "RSAL", ["'RSAL'", "apis, aldd, cald, maskAL, entropy, random"]),
        (INSTANCE, Verb.MINING, "mcd_iterations", 0, ["0", ">= 1"]),
        (INSTANCE, Verb.MINING, "class_distribution_scores", "1.0,x", ["'1.0,x'", "commas"]),
        (DETECTION, Verb.TRAINING, "model", "yolov5s-seg", ["'yolov5s-seg'", "nearest", "yolov5s"]),
        (DETECTION, Verb.TRAINING, "activate", "swosh", ["'swosh'", "SiLU"]),
        (DETECTION, Verb.INFER, "img_size", 16, ["16", ">= 32"]),
    ],
)
def test_a_wrong_value_is_refused_with_key_value_and_what_is_allowed(
    object_type: ObjectType, verb: Verb, key: str, value: Any, words: list[str]
) -> None:
    message = refusal(object_type, verb, **{key: value})
    assert all(word in message for word in [f"{key}: ", *words])


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("configs/fastscnn/fast_scnn_lr0.12_8x4_160k_citiscapes.py", "fast_scnn_lr0.12_8x4_160k_cityscapes"),
        ("yolov5s-seg", ""),
        ("", ""),
    ],
)
def test_an_unknown_configuration_is_refused_with_the_nearest(name: str, near: str) -> None:
    message = refusal(SEMANTIC, Verb.TRAINING, config_file=name)
    assert message.startswith(f"config_file: {name!r} is not a known configuration; nearest: ")
    assert near in message.partition("nearest:")[2]


@pytest.mark.parametrize("name", SUPERPIXELS)
def test_every_superpixel_algorithm_can_be_chosen(name: str) -> None:
    assert parse(SEMANTIC, Verb.MINING, superpixel_algorithm=name).superpixel_algorithm == name


# what the engine gets


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (None, "fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024.py"),
        ("fcn_hr18s_512x1024_40k_cityscapes", "hrnet/fcn_hr18s_4xb2-40k_cityscapes-512x1024.py"),
        ("fcn_hr48_4xb2-80k_cityscapes-512x1024", "hrnet/fcn_hr48_4xb2-80k_cityscapes-512x1024.py"),
        ("configs/unet/unet-s5-d16_fcn_4xb4-40k_drive-64x64.py", "unet/unet-s5-d16_fcn_4xb4-40k_drive-64x64.py"),
    ],
)
def test_the_chosen_configuration_means_one_file(name: str | None, key: str) -> None:
    assert parse(SEMANTIC, Verb.TRAINING, **({"config_file": name} if name else {})).config_key == key


def test_the_changes_of_the_seed_document() -> None:
    trainings: list[Any] = [MODELS[each][Verb.TRAINING] for each in (DETECTION, INSTANCE)]
    assert [model.default_activation for model in trainings] == ["SiLU"] * 2
    assert ["SiLU from scratch" in model.model_fields["activate"].description for model in trainings] == [True] * 2
    assert [MODELS[DETECTION][verb].plain_resize for verb in Verb] == [True] * 3  # type: ignore[attr-defined]
    assert [MODELS[INSTANCE][verb].plain_resize for verb in Verb] == [False] * 3  # type: ignore[attr-defined]
    assert [model.rv1126 for model in trainings] == [True, True]


@pytest.mark.parametrize("object_type", [DETECTION, SEMANTIC, INSTANCE])
def test_every_algorithm_that_can_be_chosen_exists(object_type: Any) -> None:
    annotation = MODELS[object_type][Verb.MINING].model_fields["mining_algorithm"].annotation
    assert set(get_args(annotation)) == set(ALGORITHMS[object_type])


def test_every_superpixel_algorithm_that_can_be_chosen_exists() -> None:
    annotation = MODELS[SEMANTIC][Verb.MINING].model_fields["superpixel_algorithm"].annotation
    assert set(get_args(annotation)) == set(SUPERPIXELS)


def test_the_engine_gets_the_parameters_under_its_own_names() -> None:
    odd = {"superpixel_algorithm": "seeds", "max_superpixel_per_image": 9, "max_kept_mining_image": 8}
    odd |= {"topk_superpixel_score": 7, "class_balance": False, "ripu_region_radius": 6}
    assert parse(SEMANTIC, Verb.MINING, **odd).options().mining == MiningSettings(
        "", (), 10, "seeds", 9, 8, 7, False, 6
    )
    assert parse(INSTANCE, Verb.MINING, mcd_iterations=4).options().mining.passes == 4
    raw = {"samples_per_gpu": 3, "workers_per_gpu": 2, "max_bad_images": 0.5}
    assert parse(SEMANTIC, Verb.INFER, **raw).options() == CandidateOptions("", 3, 2, 0.5)
    assert parse(SEMANTIC, Verb.MINING, **raw).options() == CandidateOptions("RSAL", 3, 2, 0.5)
    raw = {"batch_size_per_gpu": 3, "num_workers_per_gpu": 2, "max_bad_images": 0.5}
    assert parse(INSTANCE, Verb.INFER, **raw).options() == CandidateOptions("", 3, 2, 0.5)
    weighted = raw | {"class_distribution_scores": "1, 0.5", "mining_algorithm": "aldd"}
    for object_type in (DETECTION, INSTANCE):
        assert parse(object_type, Verb.MINING, **weighted).options() == CandidateOptions(
            "aldd", 3, 2, 0.5, MiningSettings(class_weights=(1.0, 0.5))
        )
