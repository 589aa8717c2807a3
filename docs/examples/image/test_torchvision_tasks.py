"""det-torchvision-tmi: what the platform takes of it."""

from pathlib import Path

import pytest
from tasks import NAMES, Outcome, run, run_and_kill

from common.contract import Verb
from workbench.check import check_out
from workbench.form import filled_form
from workbench.images import REPOSITORY
from workbench.platform import write_candidate_task, write_training_task

IMAGE = REPOSITORY / "det-torchvision-tmi"


@pytest.fixture(scope="module")
def trained(samples: list, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A training of two epochs on eight images, killed after the first one."""
    form = filled_form(IMAGE, Verb.TRAINING, {"epochs": 2, "batch_size_per_gpu": 4, "num_workers_per_gpu": 2})
    root = tmp_path_factory.mktemp("torchvision") / "task"
    env_file = write_training_task(root, samples[:8], samples[8:12], NAMES, form)
    run_and_kill(env_file, (root / "out" / "models" / "result.yaml").is_file, IMAGE.name)
    return run(env_file, image=IMAGE.name)


def test_a_training_leaves_what_the_platform_takes(trained: Outcome) -> None:
    assert trained.status == 0
    assert check_out(trained.out.parent / "in" / "env.yaml") == []
    lines = (trained.out / "training-curve.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", "1", "2"]


def test_candidates_are_found_and_ranked(trained: Outcome, samples: list, tmp_path: Path) -> None:
    form = filled_form(IMAGE, Verb.MINING, {"conf_thres": 0.01, "batch_size_per_gpu": 4})
    options = {"run_mining": True, "run_infer": True}
    env_file = write_candidate_task(tmp_path / "task", samples[12:18], [trained.best], NAMES, form, **options)
    outcome = run(env_file, image=IMAGE.name)
    assert outcome.status == 0
    assert check_out(env_file) == []
    assert any(outcome.objects.values())
    assert len(outcome.ranking) == 6
