"""The executor images of this repository, loaded without running them."""

import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.run.image import Executor, Family

REPOSITORY = Path(__file__).resolve().parent.parent


def image_folders() -> list[Path]:
    """Folders of all images, by name."""
    return sorted(path.parent for path in REPOSITORY.glob("*-tmi/start.py"))


def image_folder(text: str) -> Path:
    """The folder of an image: one of this repository by its name, or any that has a start.py.

    Raises:
        ValueError: there is no such image.
    """
    for folder in (REPOSITORY / text, Path(text)):
        if (folder / "start.py").is_file():
            return folder.resolve()
    names = ", ".join(folder.name for folder in image_folders())
    raise ValueError(f"image {text!r}: not a folder with a start.py; allowed are {names}, or the path of such a folder")


@contextmanager
def image(folder: Path) -> Iterator[Executor]:
    """An image's `EXECUTOR`, while its own modules (`params`, `zoo`) can be imported by their short names."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        executor: Executor = runpy.run_path(str(folder / "start.py"))["EXECUTOR"]
        yield executor
    finally:
        sys.path.remove(str(folder))
        own = [name for name in set(sys.modules) - before if _lies_in(folder, name)]
        for name in own:  # every image has modules of the same names
            del sys.modules[name]


def parameters_of(family: Family) -> dict[str, type]:
    """Parameter classes of a family by task; only inside `image`."""
    return {str(verb): model for verb, model in family.parameters.load().items()}


def _lies_in(folder: Path, module: str) -> bool:
    file = getattr(sys.modules[module], "__file__", None)
    return file is not None and Path(file).is_relative_to(folder)
