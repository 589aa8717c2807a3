"""Writes what is derived from code: the platform's templates and manifests, tables and the bibliography of the docs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import yaml

from common.contract import MANIFEST_FILE, TEMPLATE_FILE, TEMPLATE_FOLDERS, Verb
from common.run.image import Executor, Family
from common.task.params import Parameters
from common.task.rendering import table, template
from workbench.bibliography import bibliography
from workbench.images import REPOSITORY, image, image_folders, parameters_of

LANGUAGES: tuple[Literal["en", "zh"], ...] = ("en", "zh")


def rendered() -> dict[Path, str]:
    """Every rendered file of the repository with the content it must have."""
    files = {
        REPOSITORY / "docs" / language / "mining" / "bibliography.md": bibliography(language) for language in LANGUAGES
    }
    for folder in image_folders():
        with image(folder) as executor:
            files |= dict(_image_files(executor, folder))
    return files


def stale() -> list[Path]:
    """Rendered files that are missing or differ from what the code says now."""
    return [path for path, text in rendered().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def write() -> list[Path]:
    """Brings all rendered files up to date. Returns those that changed."""
    changed, contents = stale(), rendered()
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents[path], encoding="utf-8")
    return changed


def _image_files(executor: Executor, folder: Path) -> Iterator[tuple[Path, str]]:
    types = [int(object_type) for object_type in executor.families]
    single = len(types) == 1
    yield folder / "img-man" / MANIFEST_FILE, _manifest(executor.name, types[0] if single else types)
    for object_type, family in executor.families.items():
        place = folder / "img-man" if single else folder / "img-man" / TEMPLATE_FOLDERS[object_type]
        label = executor.name if single else f"{executor.name}-{TEMPLATE_FOLDERS[object_type]}"
        for verb, model in _models(family):
            yield place / TEMPLATE_FILE.format(verb=verb), template(model, verb, executor.name)
            for language in LANGUAGES:
                path = REPOSITORY / "docs" / language / "parameters" / f"{label}-{verb}.md"
                yield path, table(model, language)


def _manifest(name: str, object_type: int | list[int]) -> str:
    content = {"object_type": object_type, "enable_livecode": False}
    return f"# {name}: rendered by `make fix`; do not edit.\n" + yaml.safe_dump(content, sort_keys=False)


def _models(family: Family) -> Iterator[tuple[Verb, type[Parameters]]]:
    for verb, model in parameters_of(family).items():
        yield Verb(verb), model
