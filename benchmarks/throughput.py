"""Figure `inference_throughput`: share of the model's own speed that is left when files go in and results come out."""

import time
from collections.abc import Iterator

from benchmarks.engine import COUNT, Engine
from benchmarks.figure import Bound, Figure
from benchmarks.pairs import in_turns, ratio

BOUND = Bound(0.85, at_least=True)
ROUNDS = 9


def measure(engine: Engine) -> Iterator[Figure]:
    """Images/s of an inference task after model load, over images/s of the bare model on prepared batches."""
    import torch

    batches = list(engine.batches())
    model = engine.predictor._model  # the very same: fused, in its memory format

    def bare() -> float:
        start = time.perf_counter()
        with torch.inference_mode():
            for batch in batches:
                model(batch)
        return time.perf_counter() - start

    pairs = in_turns(bare, lambda: engine.seconds(infer=True), ROUNDS)
    details = {
        "engine_images_per_second": COUNT / min(pairs.second),
        "model_images_per_second": COUNT / min(pairs.first),
        "detections_per_image": engine.detections(),
        "torch_threads": torch.get_num_threads(),
    }
    yield ratio("inference_throughput", pairs.ratios, BOUND, details)
