"""Read the YAML files of the platform: env.yaml and config.yaml."""

from pathlib import Path

import yaml

from common.errors import ConfigError

LONGEST_QUOTE = 80
"""Maximum length of a wrong value in a message, in characters."""


def read_mapping(path: Path) -> dict[str, object]:
    """Read a file whose top level is a mapping. Keys become text.

    Raises:
        ConfigError: the file cannot be read, is not valid YAML, or does not hold a mapping.
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


def short(value: object) -> str:
    """Quote a wrong value in a message, not too long."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 3] + "..."
