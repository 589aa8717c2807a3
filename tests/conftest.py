"""What every test gets without asking."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _same_environment_afterwards() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
