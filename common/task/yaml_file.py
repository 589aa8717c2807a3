"""The YAML files that the platform writes: env.yaml and config.yaml."""

from pathlib import Path
from typing import Any

import yaml

from common.errors import ConfigError

LONGEST_QUOTE = 80
"""Characters of a wrong value that a message repeats."""


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a file whose top level is a mapping; its keys become text.

    Raises:
        ConfigError: the file cannot be read, is not valid YAML, or holds something else.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from None
    except (yaml.YAMLError, ValueError) as error:  # a date such as 2022-13-01 is a ValueError
        raise ConfigError(f"{path}: not valid YAML ({error})") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, found {short(content)}")
    return {str(key): value for key, value in content.items()}


def short(value: Any) -> str:
    """A wrong value, for a message."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 3] + "..."
