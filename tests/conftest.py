"""What every test gets without asking."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# The same examples every time, without a limit that a busy machine would miss; 50, so that the lane stays quick.
settings.register_profile("reproducible", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("reproducible")


@pytest.fixture(autouse=True)
def _same_environment_afterwards() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
