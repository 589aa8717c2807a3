"""The hyper-parameters of det-yolov5-tmi: every row of the seed document, from the form to the engine."""

import json
from typing import Any

import pytest
import yaml
from forms import sent_by_the_form, template_text, typed

from common.contract import Verb
from common.errors import ConfigError
from common.task.mining_settings import MiningSettings
from common.task.params import CandidateOptions, Parameters
from common.task.rendering import template
from common.yolo.params import ACTIVATIONS, YoloInfer, YoloMining, YoloTraining

IMAGE = "det-yolov5-tmi"
MODELS: dict[Verb, type[Parameters]] = {Verb.TRAINING: YoloTraining, Verb.INFER: YoloInfer, Verb.MINING: YoloMining}

SEED: dict[Verb, dict[str, Any]] = {
    Verb.TRAINING: {
        "shm_size": "128G",
        "export_format": "ark:raw",
        "model": "yolov5s",
        "batch_size_per_gpu": 16,
        "num_workers_per_gpu": 4,
        "epochs": 100,
        "img_size": 640,
        "opset": 11,
        "args_options": "--exist-ok",
        "save_best_only": True,
        "save_period": 10,
        "sync_bn": False,
        "activate": "",
    },
    Verb.INFER: {
        "img_size": 640,
        "conf_thres": 0.25,
        "iou_thres": 0.45,
        "batch_size_per_gpu": 16,
        "num_workers_per_gpu": 4,
        "shm_size": "128G",
        "pin_memory": False,
    },
    Verb.MINING: {
        "img_size": 640,
        "mining_algorithm": "aldd",
        "class_distribution_scores": "",
        "conf_thres": 0.25,
        "iou_thres": 0.45,
        "batch_size_per_gpu": 16,
        "num_workers_per_gpu": 4,
        "shm_size": "128G",
        "pin_memory": False,
    },
}
"""The tables of the seed document, row by row."""

OURS = {"max_bad_images": 0.01}
"""What the seed does not have."""


def parse(verb: Verb, **raw: Any) -> Any:
    return MODELS[verb].parse(raw, verb)


def refusal(verb: Verb, **raw: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        parse(verb, **raw)
    return str(raised.value)


# the seed's rows


@pytest.mark.parametrize("verb", list(Verb))
def test_names_and_defaults_are_the_seeds(verb: Verb) -> None:
    assert typed(MODELS[verb]().model_dump()) == typed(SEED[verb] | OURS)


@pytest.mark.parametrize("verb", list(Verb))
def test_the_template_that_the_platform_reads_holds_exactly_the_defaults(verb: Verb) -> None:
    text = template_text(IMAGE, verb)
    loaded = yaml.safe_load(text)
    assert typed(loaded) == typed(SEED[verb] | OURS)
    assert json.loads(json.dumps(loaded)) == loaded
    assert text == template(MODELS[verb], verb, IMAGE)


@pytest.mark.parametrize("verb", list(Verb))
def test_a_form_without_the_keys_that_the_seed_does_not_have_is_read_like_one_with_them(verb: Verb) -> None:
    """The form of an older image has no max_bad_images: that it is absent does not mean that it is 0."""
    raw = {key: value for key, value in sent_by_the_form(IMAGE, verb, {}).items() if key not in OURS}
    assert parse(verb, **raw) == MODELS[verb]()


@pytest.mark.parametrize("verb", list(Verb))
def test_an_untouched_form_gives_the_defaults(verb: Verb) -> None:
    assert parse(verb, **sent_by_the_form(IMAGE, verb, {})) == MODELS[verb]()


@pytest.mark.parametrize(
    ("verb", "edits"),
    [
        (Verb.MINING, {"conf_thres": 0}),  # the form drops 0
        (Verb.MINING, {"iou_thres": 0}),
        (Verb.MINING, {"num_workers_per_gpu": 0}),
        (Verb.MINING, {"class_distribution_scores": "1.0,0.5", "mining_algorithm": "cald"}),
        (Verb.MINING, {"pin_memory": True, "conf_thres": 0}),
        (Verb.INFER, {"conf_thres": 0, "iou_thres": 0, "num_workers_per_gpu": 0}),
        (Verb.INFER, {"pin_memory": True}),
        (Verb.INFER, {"conf_thres": 0.01}),
        (Verb.TRAINING, {"args_options": ""}),  # the form drops ''
        (Verb.TRAINING, {"activate": "SiLU", "args_options": ""}),
        (Verb.TRAINING, {"num_workers_per_gpu": 0, "save_best_only": False}),  # but neither 0 nor False
    ],
)
def test_what_a_person_enters_in_the_form_is_what_the_image_gets(verb: Verb, edits: dict[str, Any]) -> None:
    assert parse(verb, **sent_by_the_form(IMAGE, verb, edits)).model_dump() == SEED[verb] | OURS | edits


@pytest.mark.parametrize(
    ("verb", "raw"),
    [
        (Verb.MINING, {"mining_algorithm": "entropy"}),
        (Verb.MINING, {"img_size": 320, "batch_size_per_gpu": 2}),
        (Verb.INFER, {}),
        (Verb.INFER, {"shm_size": "128G", "img_size": 64}),
        (Verb.TRAINING, {"model": "yolov5n", "epochs": 3}),
    ],
)
def test_in_a_config_written_by_hand_an_absent_key_means_its_default(verb: Verb, raw: dict[str, Any]) -> None:
    assert parse(verb, **raw).model_dump() == SEED[verb] | OURS | raw


def test_a_mining_task_that_also_infers_takes_the_mining_template() -> None:
    config = sent_by_the_form(IMAGE, Verb.MINING, {"mining_algorithm": "entropy", "conf_thres": 0})
    assert parse(Verb.MINING, **config).options().algorithm == "entropy"


# values


@pytest.mark.parametrize(
    ("verb", "key", "value", "expected"),
    [
        (Verb.TRAINING, "save_best_only", "False", False),  # an edited boolean
        (Verb.TRAINING, "sync_bn", "true", True),
        (Verb.MINING, "pin_memory", "0", False),
        (Verb.TRAINING, "epochs", "20", 20),
        (Verb.TRAINING, "activate", "relu", "ReLU"),
        (Verb.TRAINING, "activate", "nn.Hardswish()", "Hardswish"),
        (Verb.TRAINING, "activate", "torch.nn.SiLU", "SiLU"),
        (Verb.TRAINING, "model", "yolo11n", "yolo11n"),
        (Verb.MINING, "mining_algorithm", "ENTROPY", "entropy"),
        (Verb.MINING, "class_distribution_scores", [1.0, 0.5], "1.0,0.5"),  # YAML reads [1.0, 0.5] as a list
        (Verb.MINING, "class_distribution_scores", 0.5, "0.5"),
    ],
)
def test_values_in_other_spellings_are_taken(verb: Verb, key: str, value: Any, expected: Any) -> None:
    assert parse(verb, **{key: value}).model_dump()[key] == expected


@pytest.mark.parametrize(
    ("verb", "key", "value", "field"),
    [
        (Verb.TRAINING, "activation", "SiLU", "activate"),
        (Verb.TRAINING, "max_epochs", 3, "epochs"),
        (Verb.TRAINING, "samples_per_gpu", 3, "batch_size_per_gpu"),
        (Verb.TRAINING, "workers_per_gpu", 3, "num_workers_per_gpu"),
        (Verb.INFER, "conf_threshold", 0.5, "conf_thres"),
        (Verb.MINING, "iou_threshold", 0.5, "iou_thres"),
    ],
)
def test_the_other_spelling_of_a_key_is_taken(verb: Verb, key: str, value: Any, field: str) -> None:
    assert getattr(parse(verb, **{key: value}), field) == value


@pytest.mark.parametrize(
    ("verb", "key", "value", "words"),
    [
        (Verb.TRAINING, "model", "yolov5q", ["'yolov5q'", "nearest", "yolov5"]),
        (Verb.TRAINING, "model", "", ["''"]),
        (Verb.TRAINING, "epochs", 0, ["0", ">= 1"]),
        (Verb.TRAINING, "img_size", 16, ["16", ">= 32"]),
        (Verb.TRAINING, "opset", 7, ["7", ">= 9"]),
        (Verb.TRAINING, "activate", "swosh", ["'swosh'", "SiLU", "Hardswish"]),
        (Verb.TRAINING, "args_options", "--epohcs 3", ["'epohcs'", "nearest", "epochs"]),
        (Verb.TRAINING, "args_options", "--data x.yaml", ["'data'", "the platform gives the data"]),
        (Verb.TRAINING, "save_best_only", "perhaps", ["'perhaps'", "true or false"]),
        (Verb.TRAINING, "batch_size_per_gpu", -1, ["-1", ">= 1"]),
        (Verb.INFER, "conf_thres", 1.5, ["1.5", ">= 0 <= 1"]),
        (Verb.INFER, "iou_thres", "high", ["'high'", "number"]),
        (Verb.INFER, "pin_memory", "perhaps", ["'perhaps'", "true or false"]),
        (
            Verb.MINING,
            "mining_algorithm",
            "entopy",
            ["'entopy'", "aldd, cald, entropy, random", "did you mean entropy?"],
        ),
        (Verb.MINING, "class_distribution_scores", "1.0,x", ["'1.0,x'", "commas"]),
        (Verb.MINING, "class_distribution_scores", "1.0,-1", ["'1.0,-1'", ">= 0"]),
        (Verb.MINING, "class_distribution_scores", "nan", ["'nan'", ">= 0"]),
        (Verb.MINING, "max_bad_images", 2, ["2", ">= 0 <= 1"]),
    ],
)
def test_a_wrong_value_is_refused_with_key_value_and_what_is_allowed(
    verb: Verb, key: str, value: Any, words: list[str]
) -> None:
    message = refusal(verb, **{key: value})
    assert all(word in message for word in [f"{key}: ", *words])


def test_mistakes_of_all_kinds_are_told_at_once() -> None:
    message = refusal(Verb.TRAINING, model="yolov5q", epoch=3, opset="new", args_options="--hyp x", activate="swosh")
    assert all(f"{key}: " in message for key in ("model", "epoch", "opset", "args_options", "activate"))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_taken_by_its_name(name: str) -> None:
    assert parse(Verb.TRAINING, activate=name).activate == name


# what the engine gets


def test_the_engine_gets_the_parameters_under_its_own_names() -> None:
    raw = {"batch_size_per_gpu": 3, "num_workers_per_gpu": 2, "max_bad_images": 0.5}
    assert parse(Verb.INFER, **raw).options() == CandidateOptions("", 3, 2, 0.5)
    mining = raw | {"mining_algorithm": "cald", "class_distribution_scores": "1, 0.5,0"}
    assert parse(Verb.MINING, **mining).options() == CandidateOptions(
        "cald", 3, 2, 0.5, MiningSettings(class_weights=(1.0, 0.5, 0.0))
    )
