"""Figures of mining: what a score for every image costs on top of inference, in one task."""

from collections.abc import Iterator

from benchmarks.engine import COUNT, Engine
from benchmarks.figure import Bound, Figure
from benchmarks.pairs import in_turns, ratio

ENTROPY_BOUND = Bound(1.05)
ROUNDS = {"entropy": 7, "aldd": 2, "cald": 2}


def measure(engine: Engine) -> Iterator[Figure]:
    """Seconds of mining and inference in one task over seconds of inference alone, for each algorithm with a model."""
    for algorithm, rounds in ROUNDS.items():
        yield _with_inference(engine, algorithm, rounds)


def _with_inference(engine: Engine, algorithm: str, rounds: int) -> Figure:
    pairs = in_turns(
        lambda: engine.seconds(infer=True, algorithm=algorithm), lambda: engine.seconds(infer=True), rounds
    )
    details = {
        "both_ms_per_image": 1000 * min(pairs.first) / COUNT,
        "inference_ms_per_image": 1000 * min(pairs.second) / COUNT,
    }
    bound = ENTROPY_BOUND if algorithm == "entropy" else None
    return ratio(f"{algorithm}_mining_and_inference", pairs.ratios, bound, details)
