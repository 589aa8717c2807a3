"""Figures of mining: cost of a score per image on top of inference, in one task."""

from collections.abc import Iterator
from operator import sub
from statistics import median

from benchmarks.engine import COUNT, Engine
from benchmarks.figure import Bound, Figure
from benchmarks.pairs import in_turns, ratio

ENTROPY_BOUND = Bound(1.05)
ROUNDS = {"entropy": 9, "aldd": 2, "cald": 2}


def measure(engine: Engine, algorithm: str) -> Iterator[Figure]:
    """Seconds of mining and inference in one task over seconds of inference alone.

    Args:
        engine: with its model loaded.
        algorithm: one of `ROUNDS`.
    """
    pairs = in_turns(
        lambda: engine.seconds(infer=True, algorithm=algorithm),
        lambda: engine.seconds(infer=True),
        ROUNDS[algorithm],
    )
    details = {
        "both_ms_per_image": 1000 * min(pairs.first) / COUNT,
        "inference_ms_per_image": 1000 * min(pairs.second) / COUNT,
        "mining_ms_per_image": 1000 * median(map(sub, pairs.first, pairs.second)) / COUNT,
    }
    bound = ENTROPY_BOUND if algorithm == "entropy" else None
    yield ratio(f"{algorithm}_mining_and_inference", pairs.ratios, bound, details)
