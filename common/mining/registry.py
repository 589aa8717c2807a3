"""The mining algorithms, by the name that a task gives in `mining_algorithm`."""

from collections.abc import Mapping
from typing import Final

from common.mining.aldd import ALDD
from common.mining.algorithm import Algorithm
from common.mining.cald import CALD
from common.mining.entropy import ENTROPY
from common.mining.random_score import RANDOM

ALGORITHMS: Final[Mapping[str, Algorithm]] = {each.name: each for each in (RANDOM, ENTROPY, ALDD, CALD)}
