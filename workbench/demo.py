"""`make demo`: one round of active learning with det-yolov5-tmi, from rendered images to a page about the results."""

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from common.contract import Verb
from common.results.curve import CURVE_FILE
from workbench.check import Finding, check_out
from workbench.form import filled_form
from workbench.gallery import read_tiles
from workbench.images import REPOSITORY
from workbench.outputs import read_best_stage, stage_files
from workbench.picture import draw_overview
from workbench.platform import write_candidate_task, write_training_task
from workbench.report import write_report
from workbench.round import Round, duration
from workbench.runner import run_image
from workbench.sample import Sample
from workbench.shapes import BLURRED, CLASS_NAMES, CROWDED, DIM, PLAIN, render
from workbench.task import Task

IMAGE: Final = REPOSITORY / "det-yolov5-tmi"
LEAST_AP50: Final = 0.9

TRAIN_IMAGES: Final = 320
VAL_IMAGES: Final = 64
UNLABELLED_IMAGES: Final = ((84, PLAIN), (12, DIM), (12, CROWDED), (12, BLURRED))

TRAINING_PARAMETERS: Final = {
    "model": "yolov5n",
    "img_size": 192,
    "epochs": 21,
    "batch_size_per_gpu": 16,
    "num_workers_per_gpu": 2,
    # From scratch on few images: a step after every batch of 16, not of 64, and twice the usual step.
    "args_options": "--exist-ok nbs=16 optimizer=AdamW lr0=0.003",
}
"""Changes to the training template."""

MINING_PARAMETERS: Final = {"img_size": 192, "mining_algorithm": "entropy", "num_workers_per_gpu": 2}
"""Changes to the mining template, which serves mining and inference in one task too."""


class DemoError(Exception):
    """The image failed, or its results are not good enough."""


def run_demo(folder: Path, console: Console, image: Path = IMAGE) -> None:
    """Renders the data, trains, mines and infers, checks every output and writes the report.

    Args:
        folder: gets `training`, `unlabelled`, `report.html` and `overview.png`; what an earlier run left there goes.
        console: where the progress and the results are shown.
        image: the folder of the image.

    Raises:
        DemoError: the image failed, an output breaks the contract, or AP at IoU 0.5 is below `LEAST_AP50`.
    """
    for name in ("training", "unlabelled"):
        shutil.rmtree(folder / name, ignore_errors=True)
    train, val, unlabelled = render(TRAIN_IMAGES, seed=0), render(VAL_IMAGES, seed=1), unlabelled_samples()
    form = filled_form(image, Verb.TRAINING, TRAINING_PARAMETERS)
    training = write_training_task(folder / "training", train, val, CLASS_NAMES, form)
    training_seconds = _run(image, training, console)
    _stop_at(_check(training, console))
    candidates = write_candidate_task(
        folder / "unlabelled",
        unlabelled,
        stage_files(Task.load(training)),
        CLASS_NAMES,
        filled_form(image, Verb.MINING, MINING_PARAMETERS),
        run_mining=True,
        run_infer=True,
    )
    candidate_seconds = _run(image, candidates, console)
    story = Round(
        training=Task.load(training),
        candidates=Task.load(candidates),
        training_seconds=training_seconds,
        candidate_seconds=candidate_seconds,
        findings=_check(candidates, console),
        truth={sample.base_name: sample for sample in unlabelled if sample.content is None},
    )
    _conclude(story, folder.resolve(), console)


def unlabelled_samples() -> list[Sample]:
    """The candidates: most like the training images, some dim, crowded or blurred, and one file that is no image."""
    samples = [
        sample
        for seed, (count, scene) in enumerate(UNLABELLED_IMAGES, start=2)
        for sample in render(count, seed, scene)
    ]
    broken = Sample(samples[0].image, content=samples[0].encoded[:100])
    return [*samples, broken]


def _run(image: Path, env_file: Path, console: Console) -> float:
    """Runs a task; the seconds that it took."""
    started = time.monotonic()
    status = run_image(image / "start.py", env_file, console)
    if status != 0:
        raise DemoError(f"{image.name} failed with exit status {status} on {env_file}")
    return time.monotonic() - started


def _check(env_file: Path, console: Console) -> list[Finding]:
    """What is wrong with the outputs of a task, shown at once."""
    findings = check_out(env_file)
    for finding in findings:
        console.print(f"- {finding}", soft_wrap=True, markup=False, highlight=False)
    return findings


def _stop_at(findings: Sequence[Finding]) -> None:
    if findings:
        raise DemoError(f"{len(findings)} outputs are not as the platform wants them")


def _conclude(story: Round, folder: Path, console: Console) -> None:
    """Writes the report, shows the results and judges them."""
    tiles = read_tiles(story.candidates, story.truth)
    draw_overview(tiles, story, folder / "overview.png")
    write_report(tiles, story, folder / "report.html")
    for label, path in _outputs(story, folder):
        console.print(f"  {label:<20} {path}", soft_wrap=True, highlight=False, markup=False)
    ap50 = read_best_stage(story.training)["mAP"]
    times = f"training {duration(story.training_seconds)}, mining + infer {duration(story.candidate_seconds)}"
    console.print(f"AP at IoU 0.5 on validation: {ap50:.3f} ({times})", highlight=False)
    _stop_at(story.findings)
    if ap50 < LEAST_AP50:
        raise DemoError(f"AP at IoU 0.5 is {ap50:.3f}; at least {LEAST_AP50} is expected")


def _outputs(story: Round, folder: Path) -> Iterator[tuple[str, Path]]:
    """Every output of the demo with what it is."""
    training, candidates = story.training.output, story.candidates.output
    yield "page", folder / "report.html"
    yield "picture", folder / "overview.png"
    yield "training result", training["training_result_file"]
    for file in stage_files(story.training):
        yield "model file", file
    yield "training curve", training["root_dir"] / CURVE_FILE
    yield "tensorboard", training["tensorboard_dir"]
    yield "training log", training["executor_log_file"]
    yield "detections", candidates["infer_result_file"]
    yield "mining result", candidates["mining_result_file"]
    yield "mining + infer log", candidates["executor_log_file"]
