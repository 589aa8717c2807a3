"""Hyper-parameters: one declaration gives default, type, check, the platform's template and the table of the docs."""

import difflib
import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from common.contract import RESERVED_KEYS, Verb
from common.errors import ConfigError
from common.task.mining_settings import NO_PARAMETERS, MiningSettings
from common.task.rendering import allowed, extra, scalar

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
"""Groups of keys with the same meaning. An image declares one of a group and accepts all."""

DROPPED: dict[Verb, tuple[object, ...]] = {
    Verb.TRAINING: ("",),
    Verb.MINING: ("", False, 0, None),
    Verb.INFER: ("", False, 0, None),
}
"""Values that the platform's web form omits from config.yaml, by verb."""

ABSENT_IS_DEFAULT = "absent_is_default"

TYPO_SIMILARITY = 0.8
"""Similarity to a known key from which an unknown key counts as a typo, and is refused."""


def parameter(default: object, en: str, zh: str, *, absent_is_default: bool = False, **constraints: Any) -> Any:
    """Declare one hyper-parameter.

    Args:
        default: value in the template.
        en: description in one line, for the comment of the template and the English docs.
        zh: the same in Chinese.
        absent_is_default: for a key that forms of earlier versions of the image do not have, so that nothing follows
            from its absence.
        **constraints: pydantic's `ge`, `gt`, `le`, `lt`, `multiple_of`, `min_length`.
    """
    ours: dict[str, JsonValue] = {"zh": zh, ABSENT_IS_DEFAULT: absent_is_default}
    return Field(default, description=en, json_schema_extra=ours, **constraints)


def max_bad_images_parameter() -> Any:
    """Declare `max_bad_images`, which every task of every image has."""
    return parameter(
        0.01,
        "largest tolerated share of images that cannot be decoded (a single one is always tolerated, unless this is 0)",
        "允许无法解码的图像的最大比例（不为 0 时总是允许一张）",
        absent_is_default=True,
        ge=0,
        le=1,
    )


def in_any_case(choices: object) -> BeforeValidator:
    """Make a validator for a choice that may be typed in any case: it restores the declared spelling.

    Args:
        choices: `Literal` type of the parameter.
    """
    spellings = {choice.lower(): choice for choice in get_args(choices)}
    return BeforeValidator(lambda value: spellings.get(value.lower(), value) if isinstance(value, str) else value)


class Parameters(BaseModel):
    """Hyper-parameters of one task of one image. Subclasses declare one attribute per key."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @classmethod
    def parse(cls, raw: Mapping[str, object], verb: Verb, also_known: Sequence[str] = ()) -> Self:
        """Read the keys of config.yaml.

        Args:
            raw: content of config.yaml; reserved keys are skipped.
            verb: verb whose template the platform filled in.
            also_known: keys of the image's other tasks, silently ignored here.

        Raises:
            ConfigError: wrong values and misspelt keys, all in one message.
        """
        problems: list[str] = []
        given = {key: value for key, value in raw.items() if key not in RESERVED_KEYS}
        given = _canonical(cls, given, problems)
        given = _without_unknown(cls, given, also_known, problems)
        given = _with_dropped(cls, given, verb)
        try:
            parsed = cls(**given)
        except ValidationError as error:
            problems += [_explain(cls, detail) for detail in error.errors()]
        if problems:
            raise ConfigError("; ".join(problems))
        return parsed


class TrainingParameters(Parameters):
    """Hyper-parameters of a training task that the platform itself reads.

    Attributes:
        max_bad_images: largest tolerated share of images that cannot be decoded, in [0, 1]. Each family declares it at
            the end of its own form.
    """

    if TYPE_CHECKING:
        max_bad_images: float

    shm_size: str = parameter(
        "128G",
        "shared memory of the container, used by the platform; 32G per GPU",
        "容器可用的共享内存，由 YMIR 后台处理；建议每张 GPU 32G",
        min_length=1,
    )
    export_format: str = parameter(
        "ark:raw",
        "format in which the platform exports annotations: ark:raw, voc:raw or coco:raw",
        "YMIR 后台导出标注的格式：ark:raw、voc:raw 或 coco:raw",
        min_length=1,
    )


class MaskTrainingParameters(TrainingParameters):
    """The same for a training on masks. As the first base class it overrides the format of the others."""

    export_format: str = parameter(
        "seg-coco:raw",
        "format in which the platform exports annotations: seg-coco:raw, the only one with masks",
        "YMIR 后台导出标注的格式：只有 seg-coco:raw 含有掩码",
        min_length=1,
    )


@dataclass(frozen=True, slots=True)
class CandidateOptions:
    """Options of inference and mining for the engine, under the same names for every image.

    Attributes:
        algorithm: name of the mining algorithm; empty if the parameters are those of inference.
        batch_size: maximum number of images per forward pass.
        workers: threads that read and decode.
        max_bad_images: largest tolerated share of images that cannot be decoded, in [0, 1].
        mining: parameters of the algorithm; the engine adds the task.
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
        """Convert the parameters to the options of the engine."""


def _canonical(model: type[Parameters], given: Mapping[str, object], problems: list[str]) -> dict[str, object]:
    """Rename synonyms to the keys that `model` declares."""
    result: dict[str, object] = dict(given)
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
    model: type[Parameters], given: Mapping[str, object], also_known: Sequence[str], problems: list[str]
) -> dict[str, object]:
    """Drop keys that `model` does not declare; refuse those that look like a typo."""
    known = model.model_fields
    spellings = {*known, *(synonym for group in SYNONYMS if known.keys() & set(group) for synonym in group)}
    for key in [key for key in given if key not in known and key not in also_known]:
        nearest = difflib.get_close_matches(key, spellings, n=1, cutoff=0.0)[0]
        if difflib.SequenceMatcher(None, nearest, key).ratio() >= TYPO_SIMILARITY:
            problems.append(f"{key}: no such key (value {given[key]!r}); did you mean {nearest}?")
        else:
            log.warning("config.yaml: unknown key %s ignored; the nearest known one is %s", key, nearest)
    return {key: value for key, value in given.items() if key in known}


def _with_dropped(model: type[Parameters], given: Mapping[str, object], verb: Verb) -> dict[str, object]:
    """Give absent keys the falsy value that the platform's web form drops from config.yaml.

    A form sends every key of the template whose value is truthy. So only a config with all keys that do not have a
    legal falsy value can come from a form; in any other (hand-written, or from another task's template) an absent key
    means its default.
    """
    telling = [name for name, field in model.model_fields.items() if not extra(field, ABSENT_IS_DEFAULT)]
    droppable = {name: value for name in telling if (value := _falsy(model, name, verb)) is not _NONE}
    if not set(telling) - droppable.keys() <= given.keys():
        return dict(given)
    return {**droppable, **given}


_NONE = object()


def _falsy(model: type[Parameters], name: str, verb: Verb) -> object:
    """Find the legal value of a field that the form drops for this verb, or `_NONE`."""
    for value in DROPPED[verb]:
        try:
            shown = model(**{name: value}).model_dump()[name]
        except ValidationError:
            continue
        if shown == value and type(shown) in (model.model_fields[name].annotation, str):
            return shown
    return _NONE


def _explain(model: type[Parameters], detail: ErrorDetails) -> str:
    """Turn one pydantic error into a sentence that names the key, the value and the allowed values."""
    name = str(detail["loc"][0]) if detail["loc"] else "config.yaml"
    field = model.model_fields.get(name)
    if detail["type"] == "value_error" or field is None:  # our own validator: its sentence says what is allowed
        return f"{name}: {str(detail['msg']).removeprefix('Value error, ')}"
    if get_origin(field.annotation) is Literal:
        near = difflib.get_close_matches(str(detail["input"]), map(str, get_args(field.annotation)), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{name}: {detail['input']!r} is not allowed ({allowed(field)}{hint})"
    return f"{name}: {detail['input']!r} is not allowed ({allowed(field)}; default {scalar(field.default)})"
