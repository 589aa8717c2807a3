"""`cfg_options` and `args_options` of the OpenMMLab images."""

import importlib.util
import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from common.mmlab.options.allowed_keys import EPOCHS, ITERATIONS, REFUSED, REFUSED_ANYWHERE, RENAMED, SECTIONS
from common.mmlab.options.command_line import REFUSED_ARGUMENTS, Arguments, parse_args_options, parse_cfg_options
from common.mmlab.options.literals import read_literal


def refusal(parse: Any, text: str) -> str:
    with pytest.raises(ValueError, match=r".+") as raised:
        parse(text)
    return str(raised.value)


# values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("1e-3", 0.001),
        ("0.5", 0.5),
        ("True", True),
        ("false", False),
        ("None", None),
        ("none", "none"),  # a word, as to OpenMMLab
        ("SGD", "SGD"),
        ("", ""),
        ("torchvision://resnet50", "torchvision://resnet50"),
        ("1,2", [1, 2]),
        ("1,", [1]),
        ("a,b", ["a", "b"]),
        ("[]", []),
        ("[1]", [1]),
        ("[1, 2]", [1, 2]),
        ("(0.9,0.999)", (0.9, 0.999)),
        ("(1,)", (1,)),
        ("[(1, 2), [a, b], c]", [(1, 2), ["a", "b"], "c"]),
        ("(1,2),(3,4)", [(1, 2), (3, 4)]),
        ("'x'", "x"),
        ("['x', \"y\"]", ["x", "y"]),
        ("traffic light", "traffic light"),
        ("[None, True]", [None, True]),
        ("(a)b", "(a)b"),
    ],
)
def test_values_are_read_as_openmmlab_reads_them(text: str, value: Any) -> None:
    got = read_literal(text)
    assert (got, type(got)) == (value, type(value))


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(read_literal("nan"))


@pytest.mark.parametrize(
    ("text", "words"), [("[1", "']' is missing"), ("1]", "']' closes nothing"), ("[(1,2]", "']' closes nothing")]
)
def test_a_bracket_without_its_other_half_is_refused(text: str, words: str) -> None:
    assert words in refusal(read_literal, text)


# cfg_options


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", {}),
        ("   ", {}),
        ("model.test_cfg.score_thr=0.01", {"model.test_cfg.score_thr": 0.01}),
        (
            'train_dataloader.num_workers=4 optim_wrapper.optimizer.lr=1e-3  model.neck.out_channels="[1, 2]"',
            {
                "train_dataloader.num_workers": 4,
                "optim_wrapper.optimizer.lr": 0.001,
                "model.neck.out_channels": [1, 2],
            },
        ),
        ("custom_hooks.0.momentum=0.1", {"custom_hooks.0.momentum": 0.1}),  # an entry of a list
        ("model.init_cfg.checkpoint=a=b", {"model.init_cfg.checkpoint": "a=b"}),
        ("model.a='traffic light'", {"model.a": "traffic light"}),
        ("model.a=1 model.a=2", {"model.a": 2}),  # the last one counts
        ("model.a=", {"model.a": ""}),
        ("sync_bn=torch", {"sync_bn": "torch"}),
        ("train_cfg.dynamic_intervals=[(90,1)]", {"train_cfg.dynamic_intervals": [(90, 1)]}),
    ],
)
def test_changes_are_read_by_dotted_key(text: str, changes: dict[str, Any]) -> None:
    assert parse_cfg_options(text) == changes


@pytest.mark.parametrize("text", ["model.a", "--amp", "=1", "model..a=1", ".model=1", "model.a=[1, 2]"])
def test_what_is_no_pair_is_refused_with_an_example(text: str) -> None:
    message = refusal(parse_cfg_options, text)
    assert text.split()[-1] in message or "']' is missing" in message
    assert "key=value" in message or "missing" in message


def test_an_open_quote_is_refused() -> None:
    assert "quotation" in refusal(parse_cfg_options, "model.a='x")


@pytest.mark.parametrize("counted", [EPOCHS, ITERATIONS], ids=["epochs", "iterations"])
def test_keys_that_would_break_the_contract_are_refused_with_the_reason(counted: dict[str, str]) -> None:
    for key, reason in {**REFUSED, **counted}.items():
        for text in (f"{key}=1", f"{key}.more=1"):
            message = refusal(partial(parse_cfg_options, counted=counted), text)
            assert message == f"{text.partition('=')[0]!r} is not allowed: {reason}"


@pytest.mark.parametrize("counted", [EPOCHS, ITERATIONS], ids=["epochs", "iterations"])
def test_what_counts_a_training_is_a_parameter_whatever_is_counted(counted: dict[str, str]) -> None:
    for key in {*EPOCHS, *ITERATIONS}:
        refusal(partial(parse_cfg_options, counted=counted), f"{key}=1")
        refusal(partial(parse_args_options, counted=counted), f"--cfg-options {key}=1")


def test_the_reason_names_the_parameters_that_a_training_has() -> None:
    assert "give the parameter max_epochs" in refusal(parse_args_options, "--cfg-options train_cfg.max_iters=3")
    by_iteration = partial(parse_args_options, counted=ITERATIONS)
    assert "give the parameter max_iters" in refusal(by_iteration, "--cfg-options train_cfg.max_epochs=3")


@pytest.mark.parametrize("place", ["{}", "train_dataloader.dataset.{}", "model.bbox_head.0.{}", "data.train.{}.img"])
def test_data_and_classes_are_refused_wherever_they_stand(place: str) -> None:
    for part, reason in REFUSED_ANYWHERE.items():
        key = place.format(part)
        assert refusal(parse_cfg_options, f"{key}=1") == f"{key!r} is not allowed: {reason}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("optimizer.lr", "optim_wrapper.optimizer.lr"),
        ("optimizer_config.grad_clip.max_norm", "optim_wrapper.clip_grad.max_norm"),
        ("data.train.pipeline.1.scale", "train_dataloader.dataset.pipeline.1.scale"),
        ("dist_params.backend", "env_cfg.dist_cfg.backend"),
    ],
)
def test_a_name_of_the_first_generation_is_refused_with_the_name_it_has_now(old: str, new: str) -> None:
    assert refusal(parse_cfg_options, f"{old}=1") == f"{old!r} was renamed; give {new}"
    assert parse_cfg_options(f"{new}=1") == {new: 1}


def test_no_name_of_the_first_generation_is_a_name_of_now() -> None:
    assert not {old.partition(".")[0] for old in RENAMED} & set(SECTIONS)


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("modle.test_cfg.score_thr", "model"),
        ("optim_wraper.optimizer.lr", "optim_wrapper"),
        ("train_dataloder.num_workers", "train_dataloader"),
        ("base_lr", ""),  # a variable of many configuration files
        ("train_pipeline.0.scale", "train"),
        ("img_scale", ""),
    ],
)
def test_a_key_that_nothing_reads_is_refused_with_the_nearest(key: str, near: str) -> None:
    message = refusal(parse_cfg_options, f"{key}=1")
    assert f"{key!r} would have no effect" in message
    assert near in message.partition("nearest:")[2]


def test_every_section_is_what_the_runner_reads() -> None:
    spec = importlib.util.find_spec("mmengine")
    assert spec is not None
    assert spec.origin is not None
    source = (Path(spec.origin).parent / "runner" / "runner.py").read_text(encoding="utf-8")
    read = set(re.findall(r"(?<!\w)cfg(?:\.get\(|\[)\s*'(\w+)'", source))
    assert read - REFUSED.keys() - EPOCHS.keys() <= set(SECTIONS)
    assert read - REFUSED.keys() - ITERATIONS.keys() <= set(SECTIONS)
    assert set(SECTIONS) - read == {"custom_imports"}  # mmengine.config reads it


# args_options


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("", Arguments()),
        ("--amp", Arguments(amp=True)),
        ("--auto-scale-lr", Arguments()),  # always so
        ("--seed 3", Arguments(seed=3)),
        ("--seed=0 --deterministic", Arguments(seed=0, deterministic=True)),
        ("--amp --auto_scale_lr --seed 1", Arguments(amp=True, seed=1)),
        (
            "--cfg-options model.a=1 model.b=[1,2] --amp",
            Arguments(amp=True, cfg_options={"model.a": 1, "model.b": [1, 2]}),
        ),
        ("--options model.a=1", Arguments(cfg_options={"model.a": 1})),  # mmdetection 2
        ("--cfg-options=model.a=1 --cfg-options model.b=2", Arguments(cfg_options={"model.a": 1, "model.b": 2})),
        ("--cfg-options 'model.a=\"(1, 2)\"'", Arguments(cfg_options={"model.a": (1, 2)})),
        ("--cfg-options", Arguments()),
    ],
)
def test_arguments_of_the_training_script_are_understood(text: str, arguments: Arguments) -> None:
    assert parse_args_options(text) == arguments


@pytest.mark.parametrize("form", ["--{}", "--{} x", "--{}=x", "--amp --{} x"])
def test_arguments_that_would_break_the_contract_are_refused_with_the_reason(form: str) -> None:
    for name, reason in REFUSED_ARGUMENTS.items():
        assert refusal(parse_args_options, form.format(name)) == f"'--{name}' is not allowed: {reason}"


def test_underscores_are_dashes() -> None:
    assert REFUSED_ARGUMENTS["local-rank"] in refusal(parse_args_options, "--local_rank 0")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("--apm", ["'--apm'", "nearest: --amp"]),
        ("--deterministc", ["'--deterministc'", "nearest: --deterministic"]),
        (
            "configs/yolox/yolox_s_8x8_300e_coco.py",
            ["'configs/yolox/yolox_s_8x8_300e_coco.py'", "the model is a parameter"],
        ),
        ("--amp configs/a.py", ["'configs/a.py'", "--amp takes no value", "the model is a parameter"]),
        ("model.a=1", ["'model.a=1'", "cfg_options"]),
        ("--seed", ["--seed ''", "one integer"]),
        ("--seed x", ["--seed 'x'", "one integer"]),
        ("--seed -1", ["--seed '-1'", "one integer from 0"]),
        ("--seed 1 2", ["--seed '1 2'", "one integer"]),
        ("--seed 4294967296", ["4294967296", "4294967295"]),
        ("--cfg-options model.a", ["'model.a'", "key=value"]),
        ("--cfg-options optimizer.lr=1", ["optim_wrapper.optimizer.lr"]),
        ("--cfg-options 'model.a=1", ["quotation"]),
    ],
)
def test_other_arguments_are_refused(text: str, words: list[str]) -> None:
    message = refusal(parse_args_options, text)
    assert all(word in message for word in words)
