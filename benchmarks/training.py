"""Train our images from scratch, and det-mmyolo-tmi side by side with the framework's plain configuration.

`python -m benchmarks.training [models]` takes about half an hour per model on 2 cores, so it is a target of its own
(`make bench-training`). Writes training.md and training.json.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from types import ModuleType
from typing import Final

from benchmarks.machine import describe
from benchmarks.report import table
from common.results.curve import CURVE_FILE, read_curve
from workbench import shapes, ships
from workbench.images import REPOSITORY
from workbench.platform import write_training_task
from workbench.runner import run_image

FOLDER: Final = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to train.

    Attributes:
        image: folder of the image.
        name: the model's name in the image.
        plain: the configuration of the framework to compare it with, if any.
        scenes: renders the data.
        epochs: length of the training that shows how far our recipe gets.
        least_ap50: asked for of that one.
        cfg_options: changes to the image's own recipe.
    """

    image: str
    name: str
    plain: str
    scenes: ModuleType
    epochs: int
    least_ap50: float
    cfg_options: str = ""


SUBJECTS: Final = {
    "rtmdet_tiny": Subject(
        "det-mmyolo-tmi", "rtmdet_tiny", "rtmdet/rtmdet_tiny_syncbn_fast_8xb32-300e_coco.py", shapes, 48, 0.7
    ),
    "yolov8_n": Subject(
        "det-mmyolo-tmi", "yolov8_n", "yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py", shapes, 48, 0.7
    ),
    "rotated_rtmdet_tiny": Subject(
        "rot-mmrotate-tmi", "rtmdet_tiny", "", ships, 24, 0.6, "optim_wrapper.optimizer.lr=0.002"
    ),
}
TRAIN_IMAGES: Final = 320
VAL_IMAGES: Final = 64
SEEDS: Final = (0, 1, 2)
BATCH: Final = 8
WORKERS: Final = 2
IMG_SIZE: Final = 192

SHORT: Final = 12
"""Epochs of the comparison."""


@dataclass(frozen=True, slots=True)
class Trained:
    """Outcome of a training.

    Attributes:
        model: a key of `SUBJECTS`.
        map50, map50_95: metrics of the last epoch; of rotated boxes where the model finds such.
        best: the largest mAP (AP at IoU 0.5) of any epoch, which is what the platform gets.
    """

    model: str
    epochs: int
    recipe: str
    seed: int
    map50: float
    map50_95: float
    best: float
    seconds: float


def main(models: Sequence[str]) -> None:
    """Print each result as soon as it is known, and write the page anew after each."""
    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            for seed in SEEDS if SUBJECTS[model].plain else ():
                for recipe in (ours, plain):
                    _record(recipe(Path(folder) / f"{model}-{seed}-{recipe.__name__}", model, SHORT, seed))
            _record(ours(Path(folder) / f"{model}-long", model, SUBJECTS[model].epochs, SEEDS[0]))


def _record(result: Trained) -> None:
    """Put a result among those that are there, in the place of an older one of the same training."""
    print(json.dumps(asdict(result)), flush=True)
    file = FOLDER / "training.json"
    known = json.loads(file.read_text(encoding="utf-8"))["trainings"] if file.is_file() else []
    results = {(r.model, r.epochs, r.seed, r.recipe): r for r in [*(Trained(**each) for each in known), result]}
    write([results[key] for key in sorted(results)])


def ours(root: Path, model: str, epochs: int, seed: int) -> Trained:
    """The image, started as the platform starts it, with its own defaults."""
    env_file = _task(root, model, epochs, seed)
    start = time.monotonic()
    image = REPOSITORY / SUBJECTS[model].image
    if run_image(image / "start.py", env_file) != 0:
        raise RuntimeError(f"{image.name} failed; see {root}")
    points = read_curve(root / "out" / CURVE_FILE)
    maps = [point.first for point in points]
    return Trained(model, epochs, "ours", seed, maps[-1], points[-1].second, max(maps), time.monotonic() - start)


def plain(root: Path, model: str, epochs: int, seed: int) -> Trained:
    """See `benchmarks.plain`."""
    arguments = {
        "env_file": str(_task(root, model, epochs, seed)),
        "key": SUBJECTS[model].plain,
        "folder": str(root / "plain"),
        "seed": seed,
        "epochs": epochs,
        "batch": BATCH,
        "workers": WORKERS,
        "img_size": IMG_SIZE,
    }
    start = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.plain", json.dumps(arguments)]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}  # as the image has it, so that `seconds` can be compared
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True, env=environment)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"epoch"')]
    maps = [line["mAP"] for line in lines]
    return Trained(model, epochs, "plain", seed, maps[-1], lines[-1]["mAP50_95"], max(maps), time.monotonic() - start)


def _task(root: Path, model: str, epochs: int, seed: int) -> Path:
    subject = SUBJECTS[model]
    parameters = {
        "export_format": "ark:raw",
        "model_name": subject.name,
        "samples_per_gpu": BATCH,
        "workers_per_gpu": WORKERS,
        "max_epochs": epochs,
        "img_size": IMG_SIZE,
        "args_options": f"--seed {seed}",
        "cfg_options": subject.cfg_options,
    }
    train, val = subject.scenes.render(TRAIN_IMAGES, seed=0), subject.scenes.render(VAL_IMAGES, seed=1)
    return write_training_task(root, train, val, subject.scenes.CLASS_NAMES, parameters)


def write(results: Sequence[Trained]) -> None:
    """Writes training.md and training.json beside this file."""
    machine = describe()
    (FOLDER / "training.md").write_text(page(results, machine), encoding="utf-8")
    content = {"machine": machine, "trainings": [asdict(result) for result in results]}
    (FOLDER / "training.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def page(results: Sequence[Trained], machine: Mapping[str, str]) -> str:
    """The text of training.md."""
    groups: dict[tuple[str, int, str], list[Trained]] = {}
    for result in results:
        groups.setdefault((result.model, result.epochs, result.recipe), []).append(result)
    means = [
        f"| {model} | {epochs} | {recipe} | **{mean(r.map50 for r in group):.3f}** | {_span(group)} |"
        f" {mean(r.map50_95 for r in group):.3f} | {len(group)} |"
        for (model, epochs, recipe), group in groups.items()
    ]
    rows = [
        f"| {r.model} | {r.epochs} | {r.recipe} | {r.seed} | {r.map50:.3f} | {r.map50_95:.3f} | {r.best:.3f} |"
        f" {r.seconds:.0f} |"
        for r in results
    ]
    return "\n".join(
        [
            "# Training from scratch: our recipe and the framework's",
            "",
            "Written by `make bench-training`. [README.md](README.md) says what is compared.",
            "",
            f"{TRAIN_IMAGES} rendered images, {VAL_IMAGES} to validate, batch {BATCH}, {IMG_SIZE} pixels,"
            " no pretrained weights.",
            "",
            *(
                f"* {model}, on {', '.join(subject.scenes.CLASS_NAMES)}: {subject.epochs} epochs are asked to reach"
                f" AP50 {subject.least_ap50}."
                for model, subject in SUBJECTS.items()
            ),
            "",
            "## Means",
            "",
            "| model | epochs | recipe | AP50 of the last epoch | span | AP50:95 | seeds |",
            "|---|---|---|---|---|---|---|",
            *means,
            "",
            "## Each training",
            "",
            "| model | epochs | recipe | seed | AP50 | AP50:95 | best epoch's AP50 | seconds |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            "## Machine",
            "",
            table(("", ""), list(machine.items())),
            "",
        ]
    )


def _span(group: Sequence[Trained]) -> str:
    values = [result.map50 for result in group]
    return f"{min(values):.3f} to {max(values):.3f}"


if __name__ == "__main__":
    main(sys.argv[1:] or list(SUBJECTS))
