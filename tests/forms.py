"""config.yaml as the platform's web form writes it, and the parameter classes of an image that read it."""

from typing import Any

import yaml

from common.contract import ObjectType, Verb
from common.task.params import Parameters
from workbench.form import template_file
from workbench.images import REPOSITORY, image, parameters_of

LOST: dict[Verb, tuple[Any, ...]] = {Verb.TRAINING: ("",), Verb.INFER: ("", 0, None), Verb.MINING: ("", 0, None)}
"""What the web form leaves out, by task. False is 0."""

DETECTION = ObjectType.DETECTION


def models_of(name: str, object_type: ObjectType = DETECTION) -> dict[Verb, type[Parameters]]:
    """The parameter classes of an image."""
    with image(REPOSITORY / name) as executor:
        models = parameters_of(executor.families[object_type])
        return {Verb(verb): model for verb, model in models.items()}


def template_text(name: str, verb: Verb, object_type: ObjectType = DETECTION) -> str:
    """The template that the platform reads when the image is added to it."""
    return template_file(REPOSITORY / name, verb, object_type).read_text(encoding="utf-8")


def sent_by_the_form(
    name: str, verb: Verb, edits: dict[str, Any], object_type: ObjectType = DETECTION
) -> dict[str, Any]:
    """config.yaml after a person has edited the template of image `name` in the web form."""
    shown = yaml.safe_load(template_text(name, verb, object_type))
    return {key: value for key, value in (shown | edits).items() if value not in LOST[verb]}


def typed(values: dict[str, Any]) -> dict[str, tuple[type, Any]]:
    """True is not 1 here."""
    return {key: (type(value), value) for key, value in values.items()}
