"""Hyper-parameters: one declaration gives the default, the type, the check, the platform's template and the docs' table."""

import difflib
import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Self, get_args, get_origin

import annotated_types
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from common.contract import RESERVED_KEYS, Verb
from common.errors import ConfigError
from common.task.mining_settings import NO_PARAMETERS, MiningSettings

log = logging.getLogger(__name__)

SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("activate", "activation"),
    ("ignore_black_area", "ignore_blank_area"),
    ("conf_thres", "conf_threshold"),
    ("iou_thres", "iou_threshold"),
    ("epochs", "max_epochs"),
    ("batch_size_per_gpu", "samples_per_gpu"),
    ("num_workers_per_gpu", "workers_per_gpu"),
)
"""Keys that mean the same thing. An image declares one of a group and accepts them all."""

DROPPED: dict[Verb, tuple[Any, ...]] = {
    Verb.TRAINING: ("",),
    Verb.MINING: ("", False, 0, None),
    Verb.INFER: ("", False, 0, None),
}
"""Values that the platform's web form leaves out of config.yaml, by task."""

ABSENT_IS_DEFAULT = "absent_is_default"

TYPO_SIMILARITY = 0.8
"""An unknown key at least this similar to a known one is taken for a slip of the pen, and refused."""


KINDS: dict[str, dict[Any, str]] = {
    "en": {int: "integer", float: "number", bool: "true or false", str: "text"},
    "zh": {int: "整数", float: "浮点数", bool: "true 或 false", str: "字符串"},
}
"""What the types of parameters are called in the docs."""


def parameter(default: Any, en: str, zh: str, *, absent_is_default: bool = False, **constraints: Any) -> Any:
    """Declare one hyper-parameter.

    Args:
        default: the value of the template.
        en: what it does, one line, for the template's comment and the English docs.
        zh: the same in Chinese.
        absent_is_default: for a key that forms of earlier versions of the image do not have, so that its absence says
            nothing.
        **constraints: pydantic's `ge`, `gt`, `le`, `lt`, `multiple_of`, `min_length`.
    """
    extra: dict[str, Any] = {"zh": zh, ABSENT_IS_DEFAULT: absent_is_default}
    return Field(default, description=en, json_schema_extra=extra, **constraints)


def max_bad_images_parameter() -> Any:
    """`max_bad_images`, which every task of every image has."""
    return parameter(
        0.01,
        "largest tolerated share of images that cannot be decoded (a single one is, unless this is 0)",
        "允许无法解码的图像的最大比例（不为 0 时总是允许一张）",
        absent_is_default=True,
        ge=0,
        le=1,
    )


def in_any_case(choices: Any) -> BeforeValidator:
    """For a choice that may be typed in any case: gives it the spelling that it is declared with.

    Args:
        choices: the `Literal` type of the parameter.
    """
    spellings = {choice.lower(): choice for choice in get_args(choices)}
    return BeforeValidator(lambda value: spellings.get(value.lower(), value) if isinstance(value, str) else value)


class Parameters(BaseModel):
    """The hyper-parameters of one task of one image. Subclass it, one attribute a key."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @classmethod
    def parse(cls, raw: Mapping[str, Any], verb: Verb, also_known: Sequence[str] = ()) -> Self:
        """Read the keys of config.yaml.

        Args:
            raw: the whole of config.yaml; reserved keys are passed over.
            verb: the task whose template the platform filled in.
            also_known: keys of the image's other tasks, silently ignored here.

        Raises:
            ConfigError: any number of wrong values and misspelt keys, all in one message.
        """
        problems: list[str] = []
        given = {key: value for key, value in raw.items() if key not in RESERVED_KEYS}
        given = _canonical(cls, given, problems)
        given = _without_unknown(cls, given, also_known, problems)
        given = _with_dropped(cls, given, verb)
        try:
            parsed = cls(**given)
        except ValidationError as error:
            problems += [_explain(cls, dict(detail)) for detail in error.errors()]
        if problems:
            raise ConfigError("; ".join(problems))
        return parsed


class TrainingParameters(Parameters):
    """Hyper-parameters of a training task: those that the platform itself reads.

    Attributes:
        max_bad_images: largest tolerated share of images that cannot be decoded, in [0, 1]. Each family declares it at
            the end of its own form.
    """

    if TYPE_CHECKING:
        max_bad_images: float

    shm_size: str = parameter(
        "128G",
        "shared memory of the container, used by the platform; 32G a GPU",
        "容器可用的共享内存，由 YMIR 后台处理；建议每张 GPU 32G",
        min_length=1,
    )
    export_format: str = parameter(
        "ark:raw",
        "how the platform writes the annotations: ark:raw, voc:raw or coco:raw",
        "YMIR 后台导出标注的格式：ark:raw、voc:raw 或 coco:raw",
        min_length=1,
    )


class MaskTrainingParameters(TrainingParameters):
    """The same for a training on masks. As the first base it gives the format to the parameters of the others."""

    export_format: str = parameter(
        "seg-coco:raw",
        "how the platform writes the annotations: seg-coco:raw, which alone has masks",
        "YMIR 后台导出标注的格式：只有 seg-coco:raw 含有掩码",
        min_length=1,
    )


@dataclass(frozen=True, slots=True)
class CandidateOptions:
    """What the engine needs from the parameters of inference and mining, under one name for every image.

    Attributes:
        algorithm: name of the mining algorithm; empty when the parameters are those of inference.
        batch_size: most images in a forward pass.
        workers: threads that read and decode.
        max_bad_images: largest tolerated share of images that cannot be decoded, in [0, 1].
        mining: the parameters of the algorithm; the task is added by the engine.
    """

    algorithm: str
    batch_size: int
    workers: int
    max_bad_images: float
    mining: MiningSettings = NO_PARAMETERS


class CandidateParameters(Parameters):
    """Hyper-parameters of an inference or mining task."""

    shm_size: str = parameter(
        "128G",
        "shared memory of the container, used by the platform",
        "容器可用的共享内存，由 YMIR 后台处理",
        min_length=1,
    )

    @abstractmethod
    def options(self) -> CandidateOptions:
        """What the engine needs of them."""


def template(model: type[Parameters], verb: Verb, image: str) -> str:
    """The text of `<verb>-template.yaml`: every key with its default, and a comment for the person who edits the form."""
    head = f"# {image}: {verb} hyper-parameters. Rendered from params.py by `make fix`; do not edit."
    return "\n".join([head, *(f"{name}: {_yaml(field)}" for name, field in model.model_fields.items())]) + "\n"


def table(model: type[Parameters], language: Literal["en", "zh"]) -> str:
    """A Markdown table of the parameters for the docs."""
    titles = {"en": ("parameter", "default", "allowed", "what it does"), "zh": ("超参数", "默认值", "取值", "说明")}
    rows = [titles[language], ("-",) * 4]
    for name, field in model.model_fields.items():
        rows.append((f"`{name}`", f"`{_scalar(field.default)}`", allowed(field, language), _note(field, language)))
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows) + "\n"


def allowed(field: FieldInfo, language: Literal["en", "zh"] = "en") -> str:
    """What values a field takes, in words: `integer >= 1`, `one of aldd, cald`."""
    if get_origin(field.annotation) is Literal:
        return {"en": "one of ", "zh": "可选 "}[language] + ", ".join(map(str, get_args(field.annotation)))
    kind = KINDS[language].get(field.annotation, KINDS[language][str])
    return " ".join([kind, *filter(None, (_bound(constraint, language) for constraint in field.metadata))])


def _bound(constraint: Any, language: str) -> str:
    signs = {
        annotated_types.Ge: ">= {0.ge}",
        annotated_types.Gt: "> {0.gt}",
        annotated_types.Le: "<= {0.le}",
        annotated_types.Lt: "< {0.lt}",
        annotated_types.MultipleOf: "multiple of {0.multiple_of}",
        annotated_types.MinLen: {"en": "not empty", "zh": "非空"}[language],
    }
    return signs.get(type(constraint), "").format(constraint)


def _note(field: FieldInfo, language: str) -> str:
    return str(_extra(field, "zh")) if language == "zh" else str(field.description)


def _extra(field: FieldInfo, key: str) -> Any:
    return field.json_schema_extra.get(key) if isinstance(field.json_schema_extra, dict) else None


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"  # 1e-05 is text to YAML 1.1
    return f"'{value}'" if isinstance(value, str) else str(value)


def _yaml(field: FieldInfo) -> str:
    return f"{_scalar(field.default)}  # {field.description}"


def _canonical(model: type[Parameters], given: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    """Rename synonyms to the key that `model` declares."""
    result: dict[str, Any] = dict(given)
    for group in SYNONYMS:
        name = next((key for key in group if key in model.model_fields), None)
        present = [key for key in group if key in result]
        if name is None or not present:
            continue
        values = [result.pop(key) for key in present]
        if any(value != values[0] for value in values[1:]):
            problems.append(f"{' and '.join(present)} mean the same, but differ: {values}; give one of them")
        result[name] = values[0]
    return result


def _without_unknown(
    model: type[Parameters], given: Mapping[str, Any], also_known: Sequence[str], problems: list[str]
) -> dict[str, Any]:
    """Leave out keys that `model` does not declare; refuse those that look like a misspelt one."""
    known = model.model_fields
    spellings = {*known, *(synonym for group in SYNONYMS if known.keys() & set(group) for synonym in group)}
    for key in [key for key in given if key not in known and key not in also_known]:
        nearest = difflib.get_close_matches(key, spellings, n=1, cutoff=0.0)[0]
        if difflib.SequenceMatcher(None, nearest, key).ratio() >= TYPO_SIMILARITY:
            problems.append(f"{key}: no such key (value {given[key]!r}); did you mean {nearest}?")
        else:
            log.warning("config.yaml: unknown key %s ignored; the nearest known one is %s", key, nearest)
    return {key: value for key, value in given.items() if key in known}


def _with_dropped(model: type[Parameters], given: Mapping[str, Any], verb: Verb) -> dict[str, Any]:
    """Give absent keys the falsy value that the platform's web form drops from config.yaml.

    A form sends every key of the template whose value is truthy. So only a config with all the keys that have no legal
    falsy value can have come from one; in any other (hand-written, or filled in from another task's template) an absent
    key means its default.
    """
    telling = [name for name, field in model.model_fields.items() if not _extra(field, ABSENT_IS_DEFAULT)]
    droppable = {name: value for name in telling if (value := _falsy(model, name, verb)) is not _NONE}
    if not set(telling) - droppable.keys() <= given.keys():
        return dict(given)
    return {**droppable, **given}


_NONE = object()


def _falsy(model: type[Parameters], name: str, verb: Verb) -> Any:
    """The legal value of a field that the form drops for this task, or `_NONE`."""
    for value in DROPPED[verb]:
        try:
            shown = model(**{name: value}).model_dump()[name]
        except ValidationError:
            continue
        if shown == value and type(shown) in (model.model_fields[name].annotation, str):
            return shown
    return _NONE


def _explain(model: type[Parameters], detail: Mapping[str, Any]) -> str:
    """Turn one pydantic error into a sentence that names the key, the value and what is allowed."""
    name = str(detail["loc"][0]) if detail["loc"] else "config.yaml"
    field = model.model_fields.get(name)
    if detail["type"] == "value_error" or field is None:  # our own validator: its sentence says what is allowed
        return f"{name}: {str(detail['msg']).removeprefix('Value error, ')}"
    if get_origin(field.annotation) is Literal:
        near = difflib.get_close_matches(str(detail["input"]), map(str, get_args(field.annotation)), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{name}: {detail['input']!r} is not allowed ({allowed(field)}{hint})"
    return f"{name}: {detail['input']!r} is not allowed ({allowed(field)}; default {_scalar(field.default)})"
