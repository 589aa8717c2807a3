"""The smallest tasks that an image can do, written as the platform writes them, with paths as a container sees them."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.contract import ObjectType, Verb
from workbench import shapes, ships
from workbench.form import filled_form
from workbench.images import REPOSITORY
from workbench.masked import render_masked, write_mask_annotations
from workbench.outputs import stage_files
from workbench.platform import write_candidate_task, write_training_task
from workbench.sample import Sample
from workbench.task import Task

TEXT = {".yaml", ".tsv", ".txt", ".xml", ".json"}

YOLO = {"model": "yolov5n", "epochs": 1, "img_size": 64, "batch_size_per_gpu": 4, "num_workers_per_gpu": 1}
MMLAB = {"max_epochs": 1, "img_size": 64, "samples_per_gpu": 4, "workers_per_gpu": 1}
MMSEG = {"max_iters": 4, "interval": 4, "img_size": 64, "samples_per_gpu": 2, "workers_per_gpu": 1}


@dataclass(frozen=True)
class Smoke:
    """A training of one epoch, and what follows from it.

    Attributes:
        image: the name of the image.
        training: changes to the training template.
        candidates: changes to the templates of mining and inference.
        object_type: what the project labels.
        rotated: whether the image finds rotated boxes.
    """

    image: str
    training: Mapping[str, object]
    candidates: Mapping[str, object] = field(default_factory=dict)
    object_type: ObjectType = ObjectType.DETECTION
    rotated: bool = False

    @property
    def class_names(self) -> Sequence[str]:
        return ships.CLASS_NAMES if self.rotated else shapes.CLASS_NAMES

    def render(self, count: int, seed: int) -> list[Sample]:
        if self.rotated:
            return ships.render(count, seed)
        return [masked.sample for masked in render_masked(count, seed)]

    def form(self, verb: Verb, changes: Mapping[str, object]) -> dict[str, object]:
        return filled_form(REPOSITORY / self.image, verb, changes, self.object_type)

    def write_training(self, root: Path) -> Path:
        """A training on 8 images; the path of its env.yaml."""
        form = self.form(Verb.TRAINING, self.training)
        train, val = self.render(8, seed=1), self.render(4, seed=2)
        env_file = write_training_task(root, train, val, self.class_names, form, object_type=self.object_type)
        if self.object_type in {ObjectType.SEMANTIC, ObjectType.INSTANCE}:
            write_mask_annotations(root, render_masked(8, seed=1), render_masked(4, seed=2), self.class_names)
        return env_file

    def write_candidates(self, root: Path, training: Path, verb: Verb) -> Path:
        """Mining or inference on 6 images with what a training left; the path of its env.yaml."""
        return write_candidate_task(
            root,
            self.render(6, seed=3),
            stage_files(Task.load(training)),
            self.class_names,
            self.form(verb, self.candidates),
            run_mining=verb is Verb.MINING,
            run_infer=verb is Verb.INFER,
            object_type=self.object_type,
        )


SMOKES = [
    Smoke("det-yolov5-tmi", YOLO, {"img_size": 64}),
    Smoke("det-mmdetection-tmi", {"config_file": "yolox_tiny", **MMLAB, "img_size": 128}),
    Smoke("det-mmyolo-tmi", {"model_name": "rtmdet_tiny", **MMLAB}),
    Smoke("rot-mmrotate-tmi", {"model_name": "rtmdet_tiny", **MMLAB}, rotated=True),
    Smoke("seg-all-in-one-tmi", YOLO, {"img_size": 64}),
    Smoke("seg-all-in-one-tmi", MMSEG, {"img_size": 64}, ObjectType.SEMANTIC),
    Smoke("seg-all-in-one-tmi", {**YOLO, "model": "yolov5n-seg"}, {"img_size": 64}, ObjectType.INSTANCE),
]


def mounts(env_file: Path) -> dict[str, str]:
    """What the platform mounts for a task that was written for paths of this machine.

    /in is a copy with the paths of the container, but for the images: they lie behind a link, and the folder that it
    names is mounted at its own place.
    """
    root = env_file.parent.parent
    view = root / "mounted"
    shutil.copytree(root / "in", view, ignore=shutil.ignore_patterns("assets"))
    assets = root / "in" / "assets"
    (view / "assets").symlink_to(assets)
    for file in (path for path in view.rglob("*") if path.suffix in TEXT and "assets" not in path.parts):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(f"{root}/in", "/in").replace(f"{root}/out", "/out"), encoding="utf-8")
    for folder in (root / "out", *(root / "out").rglob("*")):
        if folder.is_dir():
            folder.chmod(0o777)
    return {"/in:ro": str(view), "/out": str(root / "out"), str(assets): str(assets)}
