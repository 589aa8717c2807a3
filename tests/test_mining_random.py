"""Random mining and the seeds below it."""

import numpy as np

from common.mining.algorithm import importance
from common.mining.registry import DETECTION
from common.mining.seeds import rng, uniform
from common.task.mining_settings import MiningSettings
from tests.mining_cases import evidence, scored

NAMES = [f"{i:040x}.jpg" for i in range(2000)]


def test_a_score_is_the_same_on_every_machine_and_in_every_run() -> None:
    assert uniform("t000001", "一只 猫.JPG") == 0.46087396345879406
    assert rng("t000001", "一只 猫.JPG").integers(1 << 30, size=3).tolist() == [163609253, 628134930, 753984837]


def test_scores_spread_evenly_over_the_unit_interval() -> None:
    values = np.array([uniform("t", name) for name in NAMES])
    counts, _ = np.histogram(values, bins=10, range=(0, 1))
    assert values.max() < 1
    assert len(set(values)) == len(NAMES)
    assert counts.min() > 150


def test_another_task_ranks_independently() -> None:
    first, second = (np.array([uniform(task, name) for name in NAMES]) for task in ("t1", "t2"))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


def test_task_and_name_are_not_run_together() -> None:
    assert uniform("t1", "2.jpg") != uniform("t12", ".jpg")


def test_each_image_has_a_generator_of_its_own() -> None:
    draws = [rng("t", name).random() for name in NAMES]
    assert len(set(draws)) == len(NAMES)
    assert draws[::-1] == [rng("t", name).random() for name in reversed(NAMES)]


def test_random_mining_looks_at_the_task_and_the_name_only() -> None:
    def rank(task: str, name: str, score: float) -> float:
        return importance(DETECTION["random"], evidence(scored(score), name=name), MiningSettings(task))

    assert rank("t1", "a.jpg", 0.1) == rank("t1", "a.jpg", 0.9) == uniform("t1", "a.jpg")
    assert len({rank("t1", "a.jpg", 0.1), rank("t2", "a.jpg", 0.1), rank("t1", "b.jpg", 0.1)}) == 3
