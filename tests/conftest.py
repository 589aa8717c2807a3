"""What every test gets without asking."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("reproducible", deadline=None, derandomize=True)  # the same examples, on a busy machine too
settings.load_profile("reproducible")


@pytest.fixture(autouse=True)
def _same_environment_afterwards() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
