"""Which tests build images, and when they cannot."""

from pathlib import Path

import pytest
from tool import TOOL, why_not


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder builds an image, or is skipped aloud."""
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    missing = why_not(TOOL) if ours else None
    for item in ours:
        item.add_marker(pytest.mark.images)
        if missing:
            item.add_marker(pytest.mark.skip(reason=f"no image is built: {missing}"))
