"""One trained model, shared by all tests of the image."""

import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as for the ranks, and like there before torch is imported

import pytest
from lively import lively_detector
from odd import broken, nonsense, odd_forms
from tasks import NAMES, TRAINING, Outcome, listing, run

from workbench.images import REPOSITORY
from workbench.platform import write_training_task
from workbench.shapes import render

POOL = 64


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder runs an image unless it says otherwise."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and not any(item.iter_markers("faults")):
            item.add_marker(pytest.mark.image)


@pytest.fixture(scope="session")
def samples() -> list:
    return render(POOL, seed=1)


@pytest.fixture(scope="session")
def trained(samples: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A training on 24 images, most of them odd, beside two that are none, that keeps every epoch."""
    root = tmp_path_factory.mktemp("trained") / "task"
    odd = odd_forms(samples[:11])
    options = {"save_best_only": "False", "save_period": 1, "args_options": "--exist-ok --optimizer SGD lr0=0.02"}
    env = write_training_task(
        root,
        [*odd, *samples[11:24], broken(), nonsense()],
        samples[24:32],
        NAMES,
        {**TRAINING, **options, "max_bad_images": 0.1},
    )
    before = listing(root / "in") | listing(REPOSITORY / "common") | listing(REPOSITORY / "det-yolov5-tmi")
    outcome = run(env)
    assert outcome.status == 0
    after = listing(root / "in") | listing(REPOSITORY / "common") | listing(REPOSITORY / "det-yolov5-tmi")
    assert after == before, "nothing is written to /in or beside the code"
    return outcome


@pytest.fixture(scope="session")
def lively(samples: list, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that give varied detections at once."""
    return lively_detector("yolov5n", NAMES, samples, tmp_path_factory.mktemp("lively") / "best.pt")
