"""The first line of monitor.txt, written before anything slow is imported and before anything can fail."""

import os
from pathlib import Path

import yaml

from common.contract import DEFAULT_ENV_FILE, ENV_FILE_VARIABLE
from common.monitor import Monitor


def env_file() -> Path:
    """Where env.yaml lies."""
    return Path(os.environ.get(ENV_FILE_VARIABLE, DEFAULT_ENV_FILE))


def announce(path: Path) -> None:
    """Say that the task runs, from the only two facts that it takes. Whatever is wrong with env.yaml is told later."""
    try:
        env = yaml.safe_load(path.read_text(encoding="utf-8"))
        Monitor(Path(env["output"]["monitor_file"]), str(env["task_id"])).start()
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return
