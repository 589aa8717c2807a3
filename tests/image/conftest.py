"""Fixtures that the tests of images share, and the order of their modules."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as for the ranks, and like there before torch is imported

import pytest
from lively import lively_detector
from tasks import NAMES
from warm import close_nurseries

from workbench.shapes import render

POOL = 64


LONGEST = (
    "test_mmlab_families",
    "test_mmlab_training",
    "test_mmlab_candidates",
    "test_mmlab_detectors",
    "test_rotated_training",
    "test_image_training",
    "test_semantic_training",
    "test_image_candidates",
    "test_instance_training",
    "test_image_resume",
    "test_semantic_candidates",
    "test_instance_candidates",
    "test_rotated_predictor",
)
"""The modules that take longest begin first, so that the processes among which xdist deals them end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder runs an image unless it says otherwise."""
    here = Path(__file__).parent
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))
    for item in items:
        if here in item.path.parents and not any(item.iter_markers("faults")):
            item.add_marker(pytest.mark.image)


@pytest.fixture(scope="session", autouse=True)
def _nurseries_end() -> Iterator[None]:
    yield
    close_nurseries()


@pytest.fixture(scope="session")
def samples() -> list:
    return render(POOL, seed=1)


@pytest.fixture(scope="session")
def lively(samples: list, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that give varied detections at once."""
    return lively_detector("yolov5n", NAMES, samples, tmp_path_factory.mktemp("lively") / "best.pt")
