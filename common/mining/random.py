"""Random mining: the baseline for every other algorithm."""

from typing import Final

from common.mining.algorithm import Evidence, ImageMeasure
from common.mining.seeds import uniform
from common.task.mining_settings import MiningSettings


def score(evidence: Evidence, settings: MiningSettings) -> float:
    """Uniform number in [0, 1) from a hash of the task and the image's name."""
    return uniform(settings.task_id, evidence.name)


RANDOM: Final = ImageMeasure(name="random", score=score, paper="none: the baseline", needs_model=False)
