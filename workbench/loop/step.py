"""One step of a loop: a task that is run once, however often the loop is started."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from workbench.loop.setup import LoopError
from workbench.runner import run_image
from workbench.task import Task

DONE_FILE: Final = "done.json"
"""Result of a finished step, in its folder."""


@dataclass(frozen=True, slots=True)
class Step:
    """A task, and the result that is read from it.

    Attributes:
        folder: gets `in` and `out`.
        title: for people.
        write: writes the task into a folder and returns its env.yaml.
        read: reads the result of a task that ended well.
    """

    folder: Path
    title: str
    write: Callable[[Path], Path]
    read: Callable[[Task], Mapping[str, Any]]

    def run(self, start_file: Path, console: Console) -> Mapping[str, Any]:
        """Runs the task unless it is done. One that was interrupted resumes.

        Raises:
            LoopError: the image failed, or its output cannot be read.
        """
        done = self.folder / DONE_FILE
        if done.is_file():
            content: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
            return content
        env_file = self.folder / "in" / "env.yaml"
        if not env_file.is_file():  # it is written last: without it the task is not complete
            shutil.rmtree(self.folder, ignore_errors=True)
            self.write(self.folder)
        console.print(self.title, style="bold", markup=False, highlight=False)
        status = run_image(start_file, env_file.resolve(), console)
        if status != 0:
            raise LoopError(f"{self.title}: exit status {status}, see above. Run the same command again to resume")
        result = self._result(env_file)
        partial = done.with_suffix(".part")
        partial.write_text(json.dumps(result), encoding="utf-8")
        partial.replace(done)
        return result

    def _result(self, env_file: Path) -> Mapping[str, Any]:
        try:
            return self.read(Task.load(env_file))
        except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise LoopError(
                f"{self.title}: the output cannot be read ({error!r}). To see why: python -m workbench check {env_file}"
            ) from error
