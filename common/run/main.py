"""Entry of start.py: writes the first line of monitor.txt, then runs the parent process or one of its ranks."""

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from common.contract import DEFAULT_ENV_FILE, ENV_FILE_VARIABLE
from common.errors import ConfigError
from common.run.image import WORKER, Executor
from common.run.monitor import Monitor
from common.task.yaml_file import read_mapping


def main(executor: Executor, arguments: list[str]) -> int:
    """Run the task that the environment names, or one rank of it. Returns the exit status.

    The imports are inside the function, because importing the parent takes longer than writing the first line, and to
    the platform a task without a monitor file has not started.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("common").setLevel(logging.INFO)
    logging.captureWarnings(True)
    path = Path(os.environ.get(ENV_FILE_VARIABLE, DEFAULT_ENV_FILE))
    if arguments == [WORKER]:
        from common.run.worker import run_worker

        return run_worker(executor, path)
    content = announce(path)
    from common.run.parent import Parent

    return Parent(executor).run(path, content)


def announce(path: Path) -> Mapping[str, object] | ConfigError:
    """Report that the task is running. Two keys of env.yaml are enough for that.

    Args:
        path: env.yaml.

    Returns:
        The content of env.yaml, or the error that kept it from being read, which the parent reports.
    """
    try:
        content = read_mapping(path)
    except ConfigError as error:
        return error
    match content:
        case {"task_id": task_id, "output": {"monitor_file": str(file)}}:
            with suppress(OSError, ValueError):  # the parent reports a file that cannot be written, as any missing key
                Monitor(Path(file), str(task_id)).start()
    return content
