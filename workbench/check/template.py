"""A template of a task: the form that the platform shows, and the values that it starts with."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from common.contract import EXPORT_WORDS, RESERVED_KEYS, USABLE_FORMATS, AnnotationFormat, ObjectType, Verb
from workbench.check.finding import Breach

_KEY: Final = "export_format"
_SHARED_MEMORY: Final = re.compile(r"\d+[bkmgBKMG]")
_SINCE_25: Final = "coco"


def check_values(content: Mapping[Any, Any], verb: Verb, object_type: ObjectType) -> Iterator[Breach]:
    """Breaches in the keys and values of a template."""
    for key, value in content.items():
        if key in RESERVED_KEYS:
            yield f"{key} is written by the platform", "Leave it out: whatever is given here is overwritten"
        yield from _value(key, value)
    yield from _shared_memory(content)
    if verb is Verb.TRAINING:
        yield from _export_format(content, object_type)


def _value(key: object, value: object) -> Iterator[Breach]:
    """Breaches in a value: the form can only show one level of texts, numbers and booleans."""
    if isinstance(value, dict):
        yield f"{key} holds a mapping", "Write its values on the first level: an edited one comes back as a text"
    elif isinstance(value, list | tuple):
        yield f"{key} holds a list", "Write a text with commas: an edited list comes back as a text"
    elif value is None:
        yield f"{key} has no value", "Write '' for an empty text, or a value: a null is shown as an empty field"
    elif isinstance(value, bytes | set):
        yield f"{key} holds {type(value).__name__}, which JSON cannot hold", "Write a text or a number"


def _shared_memory(content: Mapping[Any, Any]) -> Iterator[Breach]:
    if "shm_size" in content and not _SHARED_MEMORY.fullmatch(str(content["shm_size"])):
        yield (f"shm_size is {content['shm_size']!r}", "Write what docker takes: a number and its unit, such as '16G'")


def _export_format(content: Mapping[Any, Any], object_type: ObjectType) -> Iterator[Breach]:
    """`<annotations>:<assets>`, as the platform takes it apart."""
    usable = list(USABLE_FORMATS.get(object_type, {}))
    advice = f"Write {' or '.join(each for each in usable if each != 'coco:raw') or 'seg-coco:raw'}"
    value = content.get(_KEY)
    if _KEY not in content:
        near = difflib.get_close_matches(_KEY, [str(key) for key in content], n=1)
        meant = f"; is {near[0]!r} meant for it?" if near else ""
        yield f"{_KEY} is missing{meant}", f"{advice}: otherwise the platform exports voc:raw"
        return
    word, colon, asset = str(value).partition(":")
    known = EXPORT_WORDS.get(word.lower(), AnnotationFormat.NONE)
    if not value:
        yield f"{_KEY} is {value!r}", f"{advice}: otherwise the platform exports voc:raw"
    elif not colon:
        yield f"{_KEY} is {value!r}, without a colon, which makes every training fail", advice
    elif asset != "raw":
        yield f"{_KEY} is {value!r}: the platform exports images as raw only", advice
    elif known is AnnotationFormat.NONE:
        yield f"{_KEY} is {value!r}: the platform exports no annotations for it", advice
    elif known not in USABLE_FORMATS.get(object_type, {}).values():
        yield f"{_KEY} is {value!r}, which has no masks", advice
    elif word.lower() == _SINCE_25:
        yield f"{_KEY} is {value!r}, a value that platforms before 2.5 do not know", "Write seg-coco:raw"
