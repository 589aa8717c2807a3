"""Registry of the mining algorithms, by object type and by the value of `mining_algorithm`."""

from collections.abc import Mapping
from typing import Final

from common.contract import ObjectType
from common.errors import ConfigError
from common.mining.aldd import ALDD
from common.mining.algorithm import Algorithm
from common.mining.apis import APIS
from common.mining.cald import CALD
from common.mining.entropy import ENTROPY, PIXEL_ENTROPY
from common.mining.maskal import MASKAL
from common.mining.random import RANDOM
from common.mining.ripu import RIPU
from common.mining.rsal import RSAL

Algorithms = Mapping[str, Algorithm]

DETECTION: Final[Algorithms] = {each.name: each for each in (RANDOM, ENTROPY, ALDD, CALD)}
SEMANTIC: Final[Algorithms] = {each.name: each for each in (RANDOM, PIXEL_ENTROPY, RSAL, RIPU)}
INSTANCE: Final[Algorithms] = {each.name: each for each in (RANDOM, ENTROPY, ALDD, CALD, APIS, MASKAL)}

ALGORITHMS: Final[Mapping[ObjectType, Algorithms]] = {
    ObjectType.DETECTION: DETECTION,
    ObjectType.SEMANTIC: SEMANTIC,
    ObjectType.INSTANCE: INSTANCE,
}


def check_class_maps(object_type: ObjectType, algorithm: str, model: str) -> None:
    """Refuse an algorithm that needs class maps, for a model that provides none.

    Args:
        object_type: what the project labels.
        algorithm: value of the parameter `mining_algorithm`; empty where the task does not mine.
        model: for the message.

    Raises:
        ConfigError: the algorithm needs class maps.
    """
    algorithms = ALGORITHMS[object_type]
    if algorithm and algorithms[algorithm].needs_class_maps:
        others = ", ".join(sorted(name for name, each in algorithms.items() if not each.needs_class_maps))
        raise ConfigError(
            f"mining_algorithm: {algorithm!r} needs class maps, which {model} does not provide; use one of {others}"
        )
