"""`/img-man` of an image, which the platform reads when the image is registered."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from common.contract import MANIFEST_FILE, TEMPLATE_FILE, TEMPLATE_FOLDERS, ObjectType, Verb
from workbench.check.finding import Breach, Finding
from workbench.check.reading import text_of
from workbench.check.template import check_values
from workbench.check.values import is_int, is_mapping
from workbench.check.yaml_traps import parse

_TYPES: Final = ", ".join(each.label for each in ObjectType)
_FLAGS: Final = ("enable_livecode", "is_official")
_KEYS: Final = ("object_type", *_FLAGS)


def check_img_man(folder: Path) -> list[Finding]:
    """Every breach of the contract in a folder `img-man`.

    Args:
        folder: with manifest.yaml, and the templates or a folder of them for each object type.

    Returns:
        No finding: the platform will register the image as intended.
    """
    manifest, found = _read_manifest(folder)
    declared = manifest.get("object_type", ObjectType.DETECTION.value)
    several = isinstance(declared, list)
    known = [ObjectType(each) for each in (declared if several else [declared]) if _is_type(each)]
    files = {
        (kind, verb): (folder / TEMPLATE_FOLDERS[kind] if several else folder) / TEMPLATE_FILE.format(verb=verb)
        for kind in dict.fromkeys(known)
        for verb in Verb
    }
    for (kind, verb), file in files.items():
        found += _check_template(file, folder, verb, kind)
    if known and not any(file.is_file() for file in files.values()):
        what = "no task has a template, so the image cannot be added (130401)"
        found.append(Finding(folder, what, f"Write {next(iter(files.values()))}"))
    return found


def _is_type(value: object) -> bool:
    return is_int(value) and value in list(ObjectType)


def _read_manifest(folder: Path) -> tuple[Mapping[Any, Any], list[Finding]]:
    """The manifest; empty if there is none, which means detection."""
    file = folder / MANIFEST_FILE
    if not file.exists():
        return {}, [
            Finding(stray, "is not read", f"Name it {MANIFEST_FILE}") for stray in sorted(folder.glob("manifest.y*ml"))
        ]
    content, breaches = _load(file, "Write object_type: 2, or leave the file out")
    if content is not None and not is_mapping(content):
        return {}, [*breaches, Finding(file, f"holds {type(content).__name__}, not a mapping", "Write object_type: 2")]
    if content is None:
        return {}, breaches or [Finding(file, "is empty", "Write object_type: 2, or leave the file out")]
    return content, breaches + [Finding(file, what, advice) for what, advice in _manifest(content)]


def _manifest(content: Mapping[Any, Any]) -> Iterator[Breach]:
    if "object_type" in content:
        yield from _object_type(content["object_type"])
    for key in _FLAGS:
        if key in content and not isinstance(content[key], bool):
            yield f"{key} is {content[key]!r}", "Write true or false"
    for key in content.keys() - set(_KEYS):
        near = difflib.get_close_matches(str(key), _KEYS, n=1)
        yield f"{key} is not read", f"Write {near[0]}" if near else f"Leave it out; what is read is {', '.join(_KEYS)}"


def _object_type(value: object) -> Iterator[Breach]:
    if isinstance(value, str):
        yield f"object_type is the text {value!r}, which cannot be registered (130401)", f"Write a number: {_TYPES}"
    elif isinstance(value, list):
        if not value:
            yield "object_type is an empty list", f"Write at least one of {_TYPES}"
        for each in value:
            if not _is_type(each):
                what = f"object_type has {each!r} in its list, which cannot be registered (130605)"
                yield what, f"Write numbers out of {_TYPES}"
        if len(value) != len({repr(each) for each in value}):
            yield f"object_type is {value}, which has a number twice", "Write each once"
    elif not _is_type(value):
        yield f"object_type is {value!r}, which no project has", f"Write one of {_TYPES}, or a list of them"


def _check_template(file: Path, root: Path, verb: Verb, kind: ObjectType) -> Iterator[Finding]:
    if not file.is_file():
        yield Finding(file, f"there is no such file, so {verb} is not offered for {kind.label}", _where(file, root))
        return
    content, breaches = _load(file, "Write keys and values")
    yield from breaches
    if content is None and not breaches:
        yield Finding(file, f"has no key, so {verb} is not offered for {kind.label}", "Write at least one key")
    elif content is not None and not is_mapping(content):
        what = f"holds {type(content).__name__}, not a mapping, so {verb} is not offered"
        yield Finding(file, what, "Write keys and values")
    elif content is not None:
        yield from (Finding(file, what, advice) for what, advice in check_values(content, verb, kind))


def _where(file: Path, root: Path) -> str:
    """Advice for a template that is not where the platform looks."""
    misnamed = file.with_suffix(".yml")
    if misnamed.is_file():
        return f"Rename {misnamed.name} to this name"
    at_root = file.parent == root
    places = sorted(root.glob(f"*/{file.name}")) if at_root else [root / file.name]
    stray = next((place for place in places if place.is_file()), None)
    if stray is None:
        return "Write it"
    rule = (
        "with one object type only the root is searched"
        if at_root
        else "with a list of object types only their folders are searched"
    )
    return f"Move {stray.relative_to(root)} there: {rule}"


def _load(file: Path, advice: str) -> tuple[Any, list[Finding]]:
    """The content of a file, None if it has none or cannot be read, and what is wrong with it as YAML."""
    text = text_of(file, advice)
    if isinstance(text, Finding):
        return None, [text]
    try:
        content, breaches = parse(text)
    except ValueError as error:
        return None, [Finding(file, f"is not plain YAML: {error}", advice)]
    return content, [Finding(file, what, todo) for what, todo in breaches]
