"""The web form that starts a task: an image's template with what a person has changed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from common.contract import MANIFEST_FILE, TEMPLATE_FILE, TEMPLATE_FOLDERS, ObjectType, Verb


def template_file(image: Path, verb: Verb, object_type: ObjectType = ObjectType.DETECTION) -> Path:
    """The template of a task in a project.

    Args:
        image: the folder of an image. Its templates lie in `img-man`, or below it in a folder for each object type
            where the manifest has a list of them; without a manifest it is one for detection, as for the platform.
        verb: which template; a task that mines and infers has the form of mining.
        object_type: that of the project.

    Raises:
        ValueError: the image has another object type.
    """
    folder = image / "img-man"
    declared = declared_types(image)
    if object_type not in (declared if isinstance(declared, list) else [declared]):
        raise ValueError(f"{image.name} has no form for object type {object_type.label}, only for {declared}")
    place = folder / TEMPLATE_FOLDERS[object_type] if isinstance(declared, list) else folder
    return place / TEMPLATE_FILE.format(verb=verb)


def declared_types(image: Path) -> int | list[int]:
    """Object types that the manifest of an image declares: one, or a list."""
    manifest = image / "img-man" / MANIFEST_FILE
    content = yaml.safe_load(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    declared: int | list[int] = content.get("object_type", ObjectType.DETECTION.value)
    return declared


def filled_form(
    image: Path, verb: Verb, changes: Mapping[str, object], object_type: ObjectType = ObjectType.DETECTION
) -> dict[str, object]:
    """The hyper-parameters that the platform would write into config.yaml.

    Args:
        image: the folder of an image.
        verb: see `template_file`.
        changes: values of keys that the template has.
        object_type: that of the project.

    Returns:
        The values without those that the web form loses: empty strings of a training, everything falsy of other tasks.

    Raises:
        ValueError: a change to a key that the form does not show, or an object type that the image does not have.
    """
    file = template_file(image, verb, object_type)
    template = yaml.safe_load(file.read_text(encoding="utf-8"))
    unknown = sorted(changes.keys() - template.keys())
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: not in {file}, which has {', '.join(sorted(template))}")
    values = {**template, **changes}
    return {key: value for key, value in values.items() if (value != "" if verb is Verb.TRAINING else value)}


def typed_changes(
    image: Path, verb: Verb, lines: Sequence[str], object_type: ObjectType = ObjectType.DETECTION
) -> dict[str, object]:
    """Changes to a form as a person types them, `key=value` per line.

    Args:
        image: the folder of an image.
        verb: see `template_file`.
        lines: `key=value` each. As in the web form, a number of the template stays one, and all else becomes text.
        object_type: that of the project.

    Raises:
        ValueError: a line without `=`, a key that the form does not show, or a text where a number belongs.
    """
    template = yaml.safe_load(template_file(image, verb, object_type).read_text(encoding="utf-8"))
    changes: dict[str, object] = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not equals or key not in template:
            raise ValueError(f"{line!r}: expected key=value with a key of the form: {', '.join(sorted(template))}")
        is_number = isinstance(template[key], int | float) and not isinstance(template[key], bool)
        changes[key] = _number(key, value) if is_number else value
    return changes


def _number(key: str, text: str) -> int | float:
    try:
        return float(text) if set(text) & set(".eE") else int(text)
    except ValueError:
        raise ValueError(f"{key}={text!r}: expected a number, as in the template") from None
