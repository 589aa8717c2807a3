"""The web form that starts a task: an image's template with what a person has changed."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from common.contract import TEMPLATE_FILE, Verb


def filled_form(image: Path, verb: Verb, changes: Mapping[str, object]) -> dict[str, object]:
    """The hyper-parameters that the platform would write into config.yaml.

    Args:
        image: the folder of an image of one object type, with its templates in `img-man`.
        verb: which template; a task that mines and infers has the form of mining.
        changes: values of keys that the template has.

    Returns:
        The values without those that the web form loses: empty strings of a training, everything falsy of other tasks.

    Raises:
        ValueError: a change to a key that the form does not show.
    """
    file = image / "img-man" / TEMPLATE_FILE.format(verb=verb)
    template = yaml.safe_load(file.read_text(encoding="utf-8"))
    unknown = sorted(changes.keys() - template.keys())
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: not in {file}, which has {', '.join(sorted(template))}")
    values = {**template, **changes}
    return {key: value for key, value in values.items() if (value != "" if verb is Verb.TRAINING else value)}
