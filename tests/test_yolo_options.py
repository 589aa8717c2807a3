"""`args_options`: both spellings of the trainer's arguments."""

from typing import Any

import pytest

from common.yolo.options import REFUSED, YOLOV5_FLAGS, parse_options, trainer_arguments


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", {}),
        ("--exist-ok", {}),  # the seed's default: there is nothing left for it to do
        ("--optimizer SGD", {"optimizer": "SGD"}),  # YOLOv5
        ("optimizer=SGD", {"optimizer": "SGD"}),  # ultralytics
        ("--optimizer=SGD", {"optimizer": "SGD"}),
        ("--cos-lr", {"cos_lr": True}),  # a flag alone
        ("--cos-lr --patience 5", {"cos_lr": True, "patience": 5}),
        ("--patience 5 --cos-lr", {"patience": 5, "cos_lr": True}),
        ("--cos-lr patience=5", {"cos_lr": True, "patience": 5}),  # the pair is no value of the flag
        ("cos_lr=True lr0=0.02", {"cos_lr": True, "lr0": 0.02}),
        ("--cos_lr", {"cos_lr": True}),  # underscores
        ("--adam", {"optimizer": "Adam"}),  # names that ultralytics has under others
        ("--img 320", {"imgsz": 320}),
        ("--img-size 320", {"imgsz": 320}),
        ("--noval", {"val": False}),
        ("--multi-scale", {"multi_scale": 0.5}),
        ("--batch-size 8", {"batch": 8}),
        ("--noplots --quad", {}),  # without any effect any more
        ("--noautoanchor --quad", {"noautoanchor": True}),  # of YOLOv5, not of ultralytics
        ("--bbox-interval 3 --seed 1", {"seed": 1}),  # nor has the value of one
        ("--exist-ok --optimizer 'AdamW' lr0=0.001", {"optimizer": "AdamW", "lr0": 0.001}),
        ("--freeze 10", {"freeze": 10}),
        ("freeze='[0, 1]'", {"freeze": [0, 1]}),  # quoted, for the blank
        ('--freeze "[0, 1]"', {"freeze": [0, 1]}),
        ("lr0=-0.5", {"lr0": -0.5}),
        ("--lr0 -0.5", {"lr0": -0.5}),  # a minus sign is no flag
        ("lr0=1e-3", {"lr0": 0.001}),  # text to YAML 1.1
        ("mosaic=0", {"mosaic": 0}),
        ("lr0=0.1 lr0=0.2", {"lr0": 0.2}),  # the last one counts
        ("cache=ram", {"cache": "ram"}),
    ],
)
def test_both_spellings_give_the_trainers_arguments(text: str, options: dict[str, Any]) -> None:
    assert parse_options(text) == options


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("--epohcs 3", ["'epohcs'", "nearest", "epochs"]),
        ("lrO=0.1", ["'lrO'", "nearest", "lr"]),
        ("mosaick=1", ["'mosaick'", "mosaic"]),
        ("SGD", ["'SGD'", "neither --flag"]),  # a word alone
        ("--patience 5 6", ["'6'", "neither --flag"]),
        ("lr0=high", ["lr0", "'high'", "a number"]),
        ("--patience soon", ["patience", "'soon'", "a number"]),
        ("--optimizer 'SGD", ["quotation"]),  # an open quote
    ],
)
def test_what_the_trainer_does_not_know_is_refused(text: str, words: list[str]) -> None:
    with pytest.raises(ValueError, match=words[0]) as raised:
        parse_options(text)
    assert all(word in str(raised.value) for word in words)


@pytest.mark.parametrize("form", ["--{} x", "{}=x", "--{}"])
def test_what_would_break_the_contract_is_refused_with_the_reason(form: str) -> None:
    for name, reason in REFUSED.items():
        with pytest.raises(ValueError, match="is not allowed") as raised:
            parse_options(form.format(name))
        assert all(word in str(raised.value) for word in [repr(name), reason])


def test_every_translated_flag_names_an_argument_of_ultralytics() -> None:
    keys = {key for key, _ in YOLOV5_FLAGS.values() if key}
    assert keys <= trainer_arguments().keys()
    assert {"data", "device", "project", "resume", "model", "save"} <= REFUSED.keys() & trainer_arguments().keys()
