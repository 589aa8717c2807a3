"""An executor image without a framework: what runs in the tests of the parent and the worker process.

DEFAULT_ENV_FILE_PATH=/some/in/env.yaml python tests/fake_image.py
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from common.contract import ObjectType, Verb
from common.errors import NanError
from common.mining.params import AlgorithmName, mining_algorithm_parameter
from common.results.class_metrics import CLASS_FILE, ClassMetrics, write_classes
from common.results.training import Stage, TrainingResult, write_training_result
from common.run.entry import Entry
from common.run.image import Executor, Family
from common.run.main import main
from common.task.params import (
    CandidateOptions,
    CandidateParameters,
    TrainingParameters,
    max_bad_images_parameter,
    parameter,
)

Behaviour = Literal["well", "nan", "bug", "memory", "wait"]


class Training(TrainingParameters):
    """How the training ends is a hyper-parameter."""

    behaviour: Behaviour = parameter("well", "how it ends", "结局")
    epochs: int = parameter(3, "passes", "次数", ge=1)
    max_bad_images: float = max_bad_images_parameter()


class Infer(CandidateParameters):
    """Inference with the stub."""

    behaviour: Behaviour = parameter("well", "how it ends", "结局")
    batch_size_per_gpu: int = parameter(4, "images in a batch", "批大小", ge=1)
    max_bad_images: float = parameter(0.5, "share", "比例", ge=0, le=1)

    def options(self) -> CandidateOptions:
        return CandidateOptions("", self.batch_size_per_gpu, 2, self.max_bad_images)


class Mining(Infer):
    """Mining with the stub."""

    mining_algorithm: AlgorithmName = mining_algorithm_parameter("entropy")

    def options(self) -> CandidateOptions:
        return CandidateOptions(self.mining_algorithm, self.batch_size_per_gpu, 2, self.max_bad_images)


PARAMETERS = {Verb.TRAINING: Training, Verb.INFER: Infer, Verb.MINING: Mining}


def train(task: Any, parameters: Training, rank: Any, progress: Callable[[float], None]) -> None:
    """Write a model, after having behaved."""
    progress(0.5)
    behave(parameters.behaviour, task)
    models = task.env.output.models_dir
    (models / "best").mkdir(exist_ok=True)
    (models / "best" / "best.pt").write_bytes(b"weights")
    stage = Stage("best", ("best.pt",), 1_700_000_000, {"mAP": 0.5})
    classes = [ClassMetrics("dog", 0.75, 0.5, 9), ClassMetrics("黑 cat", 0.25, 0.125, 4)]
    write_classes(task.env.output.root_dir / CLASS_FILE, classes, ObjectType.DETECTION)
    result = TrainingResult(ObjectType.DETECTION, [stage], "best")
    write_training_result(task.env.output.training_result_file, models, result, legacy=task.legacy)


def load_predictor(task: Any, parameters: Infer, rank: Any) -> Any:
    """The stub, after having behaved."""
    from fakes import StubPredictor

    behave(parameters.behaviour, task)
    return StubPredictor()


def behave(behaviour: Behaviour, task: Any) -> None:
    """End as asked."""
    match behaviour:
        case "nan":
            raise NanError("the loss is nan in epoch 2")
        case "bug":
            raise KeyError("no_such_layer")
        case "memory":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        case "wait":
            (task.env.output.root_dir / "waiting").write_text(str(os.getpid()), encoding="utf-8")
            time.sleep(60)
            raise TimeoutError("nobody stopped me")


EXECUTOR = Executor(
    name="fake-image",
    start_file=Path(__file__).resolve(),
    families={
        ObjectType.DETECTION: Family(
            Entry("fake_image:PARAMETERS"), Entry("fake_image:train"), Entry("fake_image:load_predictor")
        )
    },
)

if __name__ == "__main__":
    sys.exit(main(EXECUTOR, sys.argv[1:]))
