"""Rendering of hyper-parameters: the platform's templates, the tables of the docs, and allowed values in words."""

from decimal import Decimal
from typing import Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from common.contract import Verb

Language = Literal["en", "zh"]

KINDS: dict[Language, dict[object, str]] = {
    "en": {int: "integer", float: "number", bool: "true or false", str: "text"},
    "zh": {int: "整数", float: "浮点数", bool: "true 或 false", str: "字符串"},
}
"""Names of the types of parameters in the docs."""


def template(model: type[BaseModel], verb: Verb, image: str) -> str:
    """Render `<verb>-template.yaml`: every key with its default, and a comment for the user who edits the form."""
    head = f"# {image}: {verb} hyper-parameters. Rendered from params.py by `make fix`; do not edit."
    return "\n".join([head, *(f"{name}: {_yaml(field)}" for name, field in model.model_fields.items())]) + "\n"


def table(model: type[BaseModel], language: Language) -> str:
    """Render a Markdown table of the parameters for the docs."""
    titles = {"en": ("parameter", "default", "allowed", "what it does"), "zh": ("超参数", "默认值", "取值", "说明")}
    rows = [titles[language], ("-",) * 4]
    for name, field in model.model_fields.items():
        rows.append((f"`{name}`", f"`{scalar(field.default)}`", allowed(field, language), _note(field, language)))
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows) + "\n"


def allowed(field: FieldInfo, language: Language = "en") -> str:
    """Describe the allowed values of a field: `integer >= 1`, `one of aldd, cald`."""
    if get_origin(field.annotation) is Literal:
        return {"en": "one of ", "zh": "可选 "}[language] + ", ".join(map(str, get_args(field.annotation)))
    kind = KINDS[language].get(field.annotation, KINDS[language][str])
    return " ".join([kind, *filter(None, (_bound(constraint, language) for constraint in field.metadata))])


def _bound(constraint: object, language: Language) -> str:
    signs = {
        annotated_types.Ge: ">= {0.ge}",
        annotated_types.Gt: "> {0.gt}",
        annotated_types.Le: "<= {0.le}",
        annotated_types.Lt: "< {0.lt}",
        annotated_types.MultipleOf: "multiple of {0.multiple_of}",
        annotated_types.MinLen: {"en": "not empty", "zh": "非空"}[language],
    }
    return signs.get(type(constraint), "").format(constraint)


def _note(field: FieldInfo, language: Language) -> str:
    return str(extra(field, "zh")) if language == "zh" else str(field.description)


def extra(field: FieldInfo, key: str) -> object:
    """Read a value of our own that a field carries, None if it is not there."""
    return field.json_schema_extra.get(key) if isinstance(field.json_schema_extra, dict) else None


def scalar(value: object) -> str:
    """Format a default as YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"  # 1e-05 is text to YAML 1.1
    return f"'{value}'" if isinstance(value, str) else str(value)


def _yaml(field: FieldInfo) -> str:
    return f"{scalar(field.default)}  # {field.description}"
