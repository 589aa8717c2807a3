"""Train det-mmyolo-tmi and the framework's plain configuration on the same images, side by side.

`python -m benchmarks.training [seeds]` takes about ten minutes a seed and model on 2 cores, so it is a target of its
own (`make bench-training`). Writes training.md and training.json.
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
from typing import Final

from benchmarks.machine import describe
from common.results.curve import CURVE_FILE, read_curve
from workbench.demo import TRAIN_IMAGES, VAL_IMAGES
from workbench.images import REPOSITORY
from workbench.platform import write_training_task
from workbench.runner import run_image
from workbench.shapes import CLASS_NAMES, render

IMAGE: Final = REPOSITORY / "det-mmyolo-tmi"
FOLDER: Final = Path(__file__).resolve().parent

MODELS: Final = {
    "rtmdet_tiny": "rtmdet/rtmdet_tiny_syncbn_fast_8xb32-300e_coco.py",
    "yolov8_n": "yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py",
}
EPOCHS: Final = 24
BATCH: Final = 8
WORKERS: Final = 2
IMG_SIZE: Final = 192
LEAST_AP50: Final = 0.7
"""Asked for of our recipe, from scratch."""


@dataclass(frozen=True, slots=True)
class Trained:
    """How one training ended.

    Attributes:
        map50, map50_95: of the last epoch.
        best: the largest mAP (AP at IoU 0.5) of any epoch, which is what the platform gets.
    """

    model: str
    recipe: str
    seed: int
    map50: float
    map50_95: float
    best: float
    seconds: float


def main(seeds: Sequence[int]) -> None:
    """Print each result as soon as it is known, and write the page anew after each."""
    results: list[Trained] = []
    with tempfile.TemporaryDirectory() as folder:
        for model in MODELS:
            for seed in seeds:
                for recipe in (ours, plain):
                    root = Path(folder) / f"{model}-{seed}-{recipe.__name__}"
                    results.append(recipe(root, model, seed))
                    print(json.dumps(asdict(results[-1])), flush=True)
                    write(results)


def ours(root: Path, model: str, seed: int) -> Trained:
    """The image, started as the platform starts it, with its own defaults."""
    env_file = _task(root, model, seed)
    start = time.monotonic()
    if run_image(IMAGE / "start.py", env_file) != 0:
        raise RuntimeError(f"{IMAGE.name} failed; see {root}")
    points = read_curve(root / "out" / CURVE_FILE)
    maps = [point.map50 for point in points]
    return Trained(model, "ours", seed, maps[-1], points[-1].map50_95, max(maps), time.monotonic() - start)


def plain(root: Path, model: str, seed: int) -> Trained:
    """See `benchmarks.plain`."""
    arguments = {
        "env_file": str(_task(root, model, seed)),
        "key": MODELS[model],
        "folder": str(root / "plain"),
        "seed": seed,
        "epochs": EPOCHS,
        "batch": BATCH,
        "workers": WORKERS,
        "img_size": IMG_SIZE,
    }
    start = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.plain", json.dumps(arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True, env=dict(os.environ))
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"epoch"')]
    maps = [line["mAP"] for line in lines]
    return Trained(model, "plain", seed, maps[-1], lines[-1]["mAP50_95"], max(maps), time.monotonic() - start)


def _task(root: Path, model: str, seed: int) -> Path:
    parameters = {
        "export_format": "ark:raw",
        "model_name": model,
        "samples_per_gpu": BATCH,
        "workers_per_gpu": WORKERS,
        "max_epochs": EPOCHS,
        "img_size": IMG_SIZE,
        "args_options": f"--seed {seed}",
    }
    train, val = render(TRAIN_IMAGES, seed=0), render(VAL_IMAGES, seed=1)
    return write_training_task(root, train, val, CLASS_NAMES, parameters)


def write(results: Sequence[Trained]) -> None:
    """Writes training.md and training.json beside this file."""
    machine = describe()
    (FOLDER / "training.md").write_text(page(results, machine), encoding="utf-8")
    content = {"machine": machine, "trainings": [asdict(result) for result in results]}
    (FOLDER / "training.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def page(results: Sequence[Trained], machine: Mapping[str, str]) -> str:
    """The text of training.md."""
    rows = [
        f"| {r.model} | {r.recipe} | {r.seed} | {r.map50:.3f} | {r.map50_95:.3f} | {r.best:.3f} | {r.seconds:.0f} |"
        for r in results
    ]
    groups: dict[tuple[str, str], list[Trained]] = {}
    for result in results:
        groups.setdefault((result.model, result.recipe), []).append(result)
    means = [
        f"| {model} | {recipe} | {mean(r.map50 for r in group):.3f} | {mean(r.map50_95 for r in group):.3f} |"
        f" {mean(r.best for r in group):.3f} | {len(group)} |"
        for (model, recipe), group in groups.items()
    ]
    return "\n".join(
        [
            "# Training from scratch: our recipe and the framework's",
            "",
            "Written by `make bench-training`. [README.md](README.md) says what is compared.",
            "",
            f"{TRAIN_IMAGES} rendered images of {len(CLASS_NAMES)} classes, {VAL_IMAGES} to validate, {EPOCHS} epochs,"
            f" batch {BATCH}, {IMG_SIZE} pixels, one CPU.",
            "",
            "| model | recipe | AP50, mean | AP50:95, mean | best epoch's AP50, mean | seeds |",
            "|---|---|---|---|---|---|",
            *means,
            "",
            "| model | recipe | seed | AP50 | AP50:95 | best epoch's AP50 | seconds |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in machine.items()),
            "",
        ]
    )


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or [0, 1, 2])
