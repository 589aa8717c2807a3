"""What start.py calls: the first line of monitor.txt, then the parent process or one of its ranks."""

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from common.contract import DEFAULT_ENV_FILE, ENV_FILE_VARIABLE
from common.errors import ConfigError
from common.run.image import WORKER, Executor
from common.run.monitor import Monitor
from common.task.yaml_file import read_mapping


def main(executor: Executor, arguments: list[str]) -> int:
    """Run the task that the environment names, or one rank of it. Returns the exit status.

    The imports stand inside: importing the parent takes longer than writing the first line, and the platform takes a
    task without a monitor file for one that has not started.
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


def announce(path: Path) -> Mapping[str, Any] | ConfigError:
    """Report that the task runs, from the only two keys that it takes.

    Args:
        path: env.yaml.

    Returns:
        The content of env.yaml, or why there is none. The parent reports that, and whatever else is wrong with it.
    """
    try:
        content = read_mapping(path)
    except ConfigError as error:
        return error
    with suppress(OSError, ValueError, TypeError, KeyError):  # the parent says what is missing or cannot be written
        Monitor(Path(content["output"]["monitor_file"]), str(content["task_id"])).start()
    return content
