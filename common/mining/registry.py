"""Registry of the mining algorithms, by object type and by the value of `mining_algorithm`."""

from collections.abc import Mapping
from typing import Final

from common.contract import ObjectType
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
