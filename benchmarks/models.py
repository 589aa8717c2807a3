"""Speed of the default model of each image on a processor, for people who choose an image.

`python -m benchmarks.models [images]` takes some minutes, and writes models.md and models.json. Given the names of
images, it measures these only, and the others stay as they are.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.machine import Others, describe
from benchmarks.pictures import HEIGHT, WIDTH, images
from benchmarks.report import table
from common.contract import ObjectType, Verb
from common.loop.job import job_of, read_candidates, shards_of
from common.loop.loop import run_rank
from common.run.launch import rank_environment
from common.run.rank import Rank
from common.task.env import read_env, read_task
from common.task.params import CandidateParameters
from workbench.demo import write_training
from workbench.form import filled_form
from workbench.images import REPOSITORY, image
from workbench.outputs import stage_files
from workbench.plan import DEFAULT, PLANS, Plan, find_plan
from workbench.platform import write_candidate_task
from workbench.runner import run_image
from workbench.task import Task

FOLDER: Final = Path(__file__).resolve().parent
COUNT: Final = 24
ROUNDS: Final = 3

INFER: Final = "--infer"
"""Argument that makes this module the process that is measured."""

# An OpenMMLab model infers at the size that it was trained with, so these train at their own.
_EPOCH: Final = {"max_epochs": 1, "samples_per_gpu": 4, "workers_per_gpu": 1}
_YOLO_EPOCH: Final = {"img_size": 64, "epochs": 1, "batch_size_per_gpu": 4, "num_workers_per_gpu": 1}


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to measure: the default one of an image.

    Attributes:
        image: the name of the image.
        model: for people.
        training: changes to the training form that make it as short as can be. Its weights are good for nothing else.
        object_type: what the project labels.
    """

    image: str
    model: str
    training: Mapping[str, object]
    object_type: ObjectType = ObjectType.DETECTION


SUBJECTS: Final = (
    Subject("det-yolov5-tmi", "yolov5s", _YOLO_EPOCH),
    Subject("det-mmyolo-tmi", "yolov8_n", _EPOCH),
    Subject("det-mmdetection-tmi", "yolox_tiny", _EPOCH),
    Subject("rot-mmrotate-tmi", "rtmdet_tiny", _EPOCH),
    Subject("seg-all-in-one-tmi", "yolov5s", _YOLO_EPOCH),
    Subject(
        "seg-all-in-one-tmi",
        "FastSCNN",
        {"max_iters": 4, "interval": 4, "samples_per_gpu": 2, "workers_per_gpu": 1},
        ObjectType.SEMANTIC,
    ),
    Subject("seg-all-in-one-tmi", "yolov5s-seg", _YOLO_EPOCH, ObjectType.INSTANCE),
)


@dataclass(frozen=True, slots=True)
class Speed:
    """Measurements of a model.

    Attributes:
        image, model: see `Subject`.
        finds: the task of the model, for people.
        parameters: millions, as it infers.
        height, width: pixels of the input.
        milliseconds: an image, from the file to its record: the median of some rounds.
        others: cores that other programs kept busy meanwhile.
    """

    image: str
    model: str
    finds: str
    parameters: float
    height: int
    width: int
    milliseconds: float
    others: float


def main(names: Sequence[str]) -> None:
    """Print each result as soon as it is known, then write the page."""
    file = FOLDER / "models.json"
    before = json.loads(file.read_text(encoding="utf-8"))["models"] if file.is_file() else []
    known = {(speed["image"], speed["model"]): Speed(**speed) for speed in before}
    with tempfile.TemporaryDirectory() as folder:
        for subject in (subject for subject in SUBJECTS if not names or subject.image in names):
            speed = measure(subject, Path(folder) / f"{subject.image}-{subject.model}")
            known[subject.image, subject.model] = speed
            print(json.dumps(asdict(speed)), flush=True)
    speeds = [known[subject.image, subject.model] for subject in SUBJECTS]
    machine = describe()
    (FOLDER / "models.md").write_text(page(speeds, machine), encoding="utf-8")
    content = {"machine": machine, "models": [asdict(speed) for speed in speeds]}
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def measure(subject: Subject, root: Path) -> Speed:
    """Train for a moment, then infer with the defaults of the image's form."""
    plan = _plan(subject)
    training = write_training(root / "training", plan)
    if run_image(plan.image / "start.py", training) != 0:
        raise RuntimeError(f"{subject.image} failed; see {root}")
    env_file = write_candidate_task(
        root / "infer",
        images(COUNT),
        stage_files(Task.load(training)),
        plan.class_names,
        filled_form(plan.image, Verb.INFER, {}, subject.object_type),
        run_mining=False,
        run_infer=True,
        object_type=subject.object_type,
    )
    environment = {**os.environ, **rank_environment(read_task(read_env(env_file)))}
    command = [sys.executable, "-m", "benchmarks.models", INFER, subject.image, str(env_file)]
    others = Others()
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return Speed(subject.image, subject.model, subject.object_type.label, **found, others=others.cores())


def infer(name: str, env_file: Path) -> Iterator[tuple[str, float]]:
    """Repeats the work of a rank with a model that is loaded once; runs in a process of its own."""
    with image(REPOSITORY / name) as executor:
        task = read_task(read_env(env_file))
        family = executor.family(task.object_type)
        parameters = family.parse(task)
        assert isinstance(parameters, CandidateParameters)
        predictor = family.predictor.load()(task, parameters, Rank())
        candidates, job = read_candidates(task), job_of(task, parameters.options())
        seconds = []
        for _ in range(ROUNDS + 1):
            shutil.rmtree(task.scratch, ignore_errors=True)
            start = time.perf_counter()
            run_rank(candidates, job, predictor, shards_of(task, len(candidates)), lambda _: None)
            seconds.append(time.perf_counter() - start)
        pixels = predictor.prepare(images(1)[0].image).pixels
    yield "parameters", sum(each.numel() for each in vars(predictor)["_model"].parameters()) / 1e6
    yield "height", pixels.shape[0]
    yield "width", pixels.shape[1]
    yield "milliseconds", 1000 * median(seconds[1:]) / len(candidates)  # the first round warms up


def page(speeds: Sequence[Speed], machine: Mapping[str, str]) -> str:
    """The text of models.md."""
    rows = [
        (
            speed.image,
            speed.finds,
            speed.model,
            f"{speed.parameters:.1f} M",
            f"{speed.height} x {speed.width}",
            f"**{speed.milliseconds:.0f}**",
            f"{speed.others:.2f}",
        )
        for speed in speeds
    ]
    parts = (
        "# Default models",
        "Written by `make bench-models`. [README.md](README.md) says what is measured.",
        f"Images of {HEIGHT} x {WIDTH} pixels, inference with the defaults of the form, on the processor.",
        table(("image", "object type", "model", "parameters", "input", "ms an image", "others"), rows),
        "## Machine",
        table(("", ""), list(machine.items())),
    )
    return "\n\n".join(parts) + "\n"


def _plan(subject: Subject) -> Plan:
    """The demo of the image, else that of detection, with as few images as a training takes."""
    own = [plan for plan in PLANS if plan.image.name == subject.image and plan.object_type is subject.object_type]
    plan = own[0] if own else find_plan(DEFAULT)
    return replace(plan, image=REPOSITORY / subject.image, counts=(8, 4), training=subject.training)


if __name__ == "__main__":
    if sys.argv[1:2] == [INFER]:
        print(json.dumps(dict(infer(sys.argv[2], Path(sys.argv[3])))))
    else:
        main(sys.argv[1:])
