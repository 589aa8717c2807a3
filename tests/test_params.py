"""How hyper-parameters are read, whatever the image: spellings, kinds, what the web form loses, and the messages."""

import json
import logging
from typing import Annotated, Any, Literal

import pytest
import yaml

from common.contract import RESERVED_KEYS, Verb
from common.errors import ConfigError
from common.task.params import SYNONYMS, Parameters, parameter
from common.task.parsed import AS_TYPED, Parsed, parsed_by
from common.task.rendering import allowed, table, template


class Some(Parameters):
    """One parameter of each kind."""

    shm_size: str = parameter("128G", "memory", "内存", min_length=1)
    epochs: int = parameter(100, "passes", "次数", ge=1)
    rate: float = parameter(0.001, "a | b", "学习率", gt=0, lt=1)
    conf_thres: float = parameter(0.25, "confidence", "置信度", ge=0, le=1)
    workers: int = parameter(4, "threads", "线程数", ge=0)
    side: int = parameter(640, "pixels", "像素", ge=32, multiple_of=32)
    pin: bool = parameter(False, "pin", "锁页")
    kind: Literal["aldd", "cald"] = parameter("aldd", "algorithm", "算法")
    note: str = parameter("", "free text", "文本")
    activate: str = parameter("", "activation", "激活函数")


NEEDED = {"shm_size": "1G", "epochs": 5, "rate": 0.1, "side": 64, "kind": "cald"}
"""The keys without a legal falsy value: a config that has them all can have come from the web form."""

DEFAULTS = Some().model_dump()


def read(raw: dict[str, Any], verb: Verb = Verb.TRAINING, also_known: tuple[str, ...] = ()) -> Some:
    return Some.parse(raw, verb, also_known)


def refusal(raw: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as raised:
        read(raw)
    return str(raised.value)


def test_absent_keys_have_their_defaults_and_reserved_keys_are_passed_over() -> None:
    assert read(dict.fromkeys(RESERVED_KEYS, object())).model_dump() == DEFAULTS


# kinds


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("pin", "False", False),  # the form turns an edited boolean into text
        ("pin", "True", True),
        ("pin", "true", True),
        ("pin", "false", False),
        ("pin", "0", False),
        ("pin", "1", True),
        ("pin", "no", False),
        ("pin", 1, True),
        ("epochs", "20", 20),  # so does it with numbers that were text
        ("epochs", 20.0, 20),
        ("rate", "1e-3", 0.001),  # YAML 1.1 reads this as text
        ("rate", "0.5", 0.5),
        ("conf_thres", 1, 1.0),
        ("conf_thres", 0, 0.0),
    ],
)
def test_values_are_read_leniently(key: str, value: Any, expected: Any) -> None:
    got = getattr(read({key: value}), key)
    assert (got, type(got)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("pin", "perhaps", ["'perhaps'", "true or false"]),
        ("pin", 2, ["2", "true or false"]),
        ("epochs", 0, ["0", "integer >= 1", "default 100"]),
        ("epochs", 2.5, ["2.5", "integer >= 1"]),
        ("epochs", "many", ["'many'", "integer >= 1"]),
        ("rate", 0, ["0", "number > 0 < 1"]),
        ("rate", 1, ["1", "number > 0 < 1"]),
        ("conf_thres", 1.5, ["1.5", "number >= 0 <= 1"]),
        ("conf_thres", float("nan"), ["nan", "number >= 0 <= 1"]),
        ("conf_thres", None, ["None", "number >= 0 <= 1"]),
        ("side", 100, ["100", "integer >= 32 multiple of 32"]),
        ("kind", "cold", ["'cold'", "one of aldd, cald", "did you mean cald?"]),
        ("kind", 7, ["7", "one of aldd, cald"]),
        ("shm_size", "", ["''", "text not empty", "default '128G'"]),
        ("note", ["a"], ["['a']", "text"]),
    ],
)
def test_a_wrong_value_is_refused_with_key_value_and_what_is_allowed(key: str, value: Any, words: list[str]) -> None:
    message = refusal({key: value})
    assert message.startswith(f"{key}: ")
    assert all(word in message for word in words)


def test_all_mistakes_are_told_at_once() -> None:
    message = refusal(
        {"epochs": 0, "pin": "perhaps", "kind": "cold", "conf_thress": 0.5, "activation": 1, "activate": 2}
    )
    for words in ("epochs: 0", "pin: 'perhaps'", "kind: 'cold'", "conf_thress: no such key", "activate and activation"):
        assert words in message


def test_the_same_mistakes_are_told_in_the_same_order() -> None:
    message = refusal({"shm_sise": "1G", "epoch": 1, "rat": 0.1, "sides": 64, "kinds": "cald"})
    places = [message.index(f"{key}: no such key") for key in ("shm_sise", "epoch", "rat", "sides", "kinds")]
    assert places == sorted(places)


# spellings


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("activation", "SiLU", "activate"),
        ("activate", "SiLU", "activate"),
        ("conf_threshold", 0.5, "conf_thres"),
        ("max_epochs", 7, "epochs"),
    ],
)
def test_both_spellings_of_a_key_are_taken(key: str, value: Any, field: str) -> None:
    assert getattr(read({key: value}), field) == value


def test_two_spellings_that_agree_are_fine_and_two_that_differ_are_not() -> None:
    assert read({"epochs": 3, "max_epochs": 3}).epochs == 3
    message = refusal({"epochs": 3, "max_epochs": 4})
    assert all(word in message for word in ["epochs", "max_epochs", "3", "4", "one of them"])


def test_no_key_is_in_two_groups_of_synonyms() -> None:
    keys = [key for group in SYNONYMS for key in group]
    assert len(keys) == len(set(keys))


# unknown keys


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("epoch", "epochs"),
        ("epohcs", "epochs"),
        ("conf_thresh", "conf_thres"),
        ("conf_treshold", "conf_threshold"),  # near a synonym
        ("max_epoch", "max_epochs"),
    ],
)
def test_a_slip_of_the_pen_is_refused_with_the_right_name(key: str, meant: str) -> None:
    message = refusal({key: "text"})
    assert all(word in message for word in [f"{key}: no such key", "'text'", f"did you mean {meant}?"])


def test_a_slip_of_the_pen_is_refused_beside_the_right_key_too() -> None:
    """The web form always sends the template's keys; a misspelt one is what the user added."""
    assert "did you mean epochs?" in refusal({"epoch": 3, "epochs": 5})


def test_other_unknown_keys_are_ignored_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert read({"my_own_remark": 1}).epochs == 100
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "my_own_remark" in record.getMessage()


def test_keys_of_another_task_are_ignored_silently(caplog: pytest.LogCaptureFixture) -> None:
    assert read({"iou_thres": 0.9, "epoch": 3}, also_known=("iou_thres", "epoch")).model_dump() == DEFAULTS
    assert caplog.records == []


# what the web form loses


@pytest.mark.parametrize("verb", [Verb.MINING, Verb.INFER])
def test_what_the_form_of_a_candidate_task_drops_comes_back(verb: Verb) -> None:
    parsed = read(NEEDED, verb)
    assert parsed.model_dump() == NEEDED | {"conf_thres": 0.0, "workers": 0, "pin": False, "note": "", "activate": ""}


def test_the_form_of_a_training_drops_empty_texts_only() -> None:
    class Texts(Some):
        note: str = parameter("--exist-ok", "free text", "文本")

    sent = NEEDED | {"conf_thres": 0.5, "workers": 2, "pin": True}
    assert Texts.parse(sent, Verb.TRAINING).note == ""
    assert Texts.parse(NEEDED, Verb.TRAINING).note == "--exist-ok"  # no form sends a training without conf_thres


@pytest.mark.parametrize("missing", list(NEEDED))
def test_a_config_that_no_form_can_have_sent_has_defaults(missing: str) -> None:
    parsed = read({key: value for key, value in NEEDED.items() if key != missing}, Verb.MINING)
    assert (parsed.conf_thres, parsed.workers) == (0.25, 4)


def test_a_given_value_beats_the_dropped_one() -> None:
    assert read(NEEDED | {"conf_thres": 0.5}, Verb.INFER).conf_thres == 0.5


# templates and tables


def test_a_template_holds_the_defaults_for_the_platforms_parser() -> None:
    text = template(Some, Verb.TRAINING, "an-image")
    loaded = yaml.safe_load(text)
    assert loaded == DEFAULTS
    assert [type(value) for value in loaded.values()] == [type(value) for value in DEFAULTS.values()]
    assert json.loads(json.dumps(loaded)) == DEFAULTS
    assert text.startswith("# an-image: training")


def test_a_small_default_does_not_become_text() -> None:
    class Tiny(Parameters):
        rate: float = parameter(1e-5, "rate", "学习率")  # YAML 1.1 reads 1e-05 as text

    assert yaml.safe_load(template(Tiny, Verb.TRAINING, "x")) == {"rate": 1e-5}


@pytest.mark.parametrize(("language", "note"), [("en", "integer >= 1 | passes"), ("zh", "整数 >= 1 | 次数")])
def test_a_table_has_a_row_for_each_parameter(language: Literal["en", "zh"], note: str) -> None:
    lines = table(Some, language).splitlines()
    assert len(lines) == 2 + len(Some.model_fields)
    assert f"| `epochs` | `100` | {note} |" in lines
    assert all(line.replace("\\|", "").count("|") == 5 for line in lines)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("kind", "one of aldd, cald"),
        ("pin", "true or false"),
        ("note", "text"),
        ("side", "integer >= 32 multiple of 32"),
    ],
)
def test_what_is_allowed_is_said_in_words(key: str, words: str) -> None:
    assert allowed(Some.model_fields[key]) == words


def test_a_wrong_default_is_a_mistake_of_ours() -> None:
    class Wrong(Parameters):
        epochs: int = parameter(0, "passes", "次数", ge=1)

    with pytest.raises(ConfigError, match="epochs: 0"):
        Wrong.parse({}, Verb.TRAINING)


def _numbers(text: str) -> tuple[int, ...]:
    if not text.replace(",", "").isdecimal():
        raise ValueError(f"{text!r} is not allowed (numbers separated by commas)")
    return tuple(map(int, text.split(",")))


class WithParsed(Parameters):
    """A text with a meaning."""

    sizes: Annotated[Parsed[tuple[int, ...]], parsed_by(_numbers), AS_TYPED] = parameter("1,2", "sizes", "大小")
    extra: Annotated[Parsed[str], parsed_by(str.upper), AS_TYPED] = parameter("x", "anything", "任意")


def test_a_text_with_a_meaning_is_parsed_once_and_shown_as_it_was_typed() -> None:
    read = WithParsed.parse({"sizes": "3,4", "extra": "x"}, Verb.TRAINING)
    assert read.sizes.value == (3, 4)
    assert read.model_dump() == {"sizes": "3,4", "extra": "x"}
    assert WithParsed().sizes == Parsed("1,2", (1, 2)), "the default too"
    assert yaml.safe_load(template(WithParsed, Verb.TRAINING, "image")) == {"sizes": "1,2", "extra": "x"}
    assert "| `sizes` | `'1,2'` | text | sizes |" in table(WithParsed, "en")


def test_a_text_that_means_something_when_it_is_empty_may_have_been_dropped_by_the_form() -> None:
    assert WithParsed.parse({"sizes": "5"}, Verb.TRAINING).extra == Parsed("", "")
    assert WithParsed.parse({}, Verb.TRAINING).extra == Parsed("x", "X"), "no form leaves out sizes"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a", "sizes: 'a' is not allowed (numbers separated by commas)"),
        (5, "sizes: 5 is not allowed (text; default '1,2')"),
    ],
)
def test_a_text_without_a_meaning_is_refused_in_the_words_of_its_parser(value: Any, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        WithParsed.parse({"sizes": value}, Verb.TRAINING)
    assert str(raised.value) == words
