"""The web form that starts a task: an image's template with what a person has changed."""

from collections.abc import Mapping
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
    manifest = folder / MANIFEST_FILE
    content = yaml.safe_load(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    declared = content.get("object_type", ObjectType.DETECTION.value)
    if object_type not in (declared if isinstance(declared, list) else [declared]):
        raise ValueError(f"{image.name} has no form for object type {object_type.label}, but for {declared}")
    place = folder / TEMPLATE_FOLDERS[object_type] if isinstance(declared, list) else folder
    return place / TEMPLATE_FILE.format(verb=verb)


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
