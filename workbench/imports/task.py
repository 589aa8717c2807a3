"""A data set of a person becomes a task of the platform."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from common.contract import AngleUnit, AnnotationFormat, ObjectType, Verb
from workbench.export import annotation_format
from workbench.form import filled_form
from workbench.imports.coco import read_coco
from workbench.imports.collect import class_names, collect, ordered
from workbench.imports.dota import read_dota
from workbench.imports.entry import Catalogue, Entry, SourceError, things_of
from workbench.imports.folder import read_folder
from workbench.imports.splits import Sets, training_sets
from workbench.imports.tally import Tally
from workbench.imports.target import Target
from workbench.imports.voc import read_voc
from workbench.imports.yolo import read_yolo
from workbench.model import Model
from workbench.platform import write_candidate_task, write_training_task
from workbench.stored import StoredImage

READERS: Final[Mapping[str, Callable[[Path], Catalogue]]] = {
    "coco": read_coco,
    "yolo": read_yolo,
    "voc": read_voc,
    "dota": read_dota,
    "folder": read_folder,
}
"""The formats, by the word that names them."""

SOURCES_FILE: Final = "sources.tsv"
"""Sources of the images of a task: base name, tab, path of the file in the data set."""

BOXES_ONLY: Final = frozenset({"voc", "dota"})

Track = Callable[[Sequence[Entry]], Iterable[Entry]]
"""Passes entries on, and may show how far it is."""


@dataclass(frozen=True, slots=True)
class Order:
    """Wanted task of an import.

    Attributes:
        image: the folder of the executor image whose form is filled in.
        verbs: what the image is to do: training alone, or mining, inference or both.
        object_type: what the project labels.
        changes: to the template of the image.
        model: where to start; a candidate task needs one, or chosen classes.
        classes: those to keep, in this order; all by default.
        split: the split that holds the candidates; all by default.
        val_share: share of the training images that is used a data set without validation images.
        seed: chooses that share.
        gpu_id: devices as the image sees them, `0,1`; empty = CPU.
    """

    image: Path
    verbs: tuple[Verb, ...]
    object_type: ObjectType = ObjectType.DETECTION
    changes: Mapping[str, object] = field(default_factory=dict)
    model: Model | None = None
    classes: Sequence[str] = ()
    split: str | None = None
    val_share: float = 0.2
    seed: int = 0
    gpu_id: str = ""

    @property
    def form(self) -> dict[str, object]:
        """The hyper-parameters; a task that mines and infers has those of mining."""
        verb = next(verb for verb in Verb if verb in self.verbs)
        return filled_form(self.image, verb, self.changes, self.object_type)


@dataclass(frozen=True, slots=True)
class Imported:
    """Result of an import.

    Attributes:
        env_file: the env.yaml of the task.
        class_names: in the order of their indices.
        sets: the images by what they are for: `train` and `val`, or `candidates`.
    """

    env_file: Path
    class_names: Sequence[str]
    sets: Mapping[str, Sequence[StoredImage]]


def import_data_set(form: str, source: Path, target: Path, order: Order, tally: Tally, track: Track = iter) -> Imported:
    """Writes the task.

    Args:
        form: a key of `READERS`.
        source: the data set, as its reader wants it.
        target: gets the folders `in` and `out`, and `SOURCES_FILE`.
        order: the wanted task.
        tally: takes what gets lost on the way.
        track: sees the images go by.

    Raises:
        SourceError: the data set cannot be read, or cannot become what is wanted.
        ValueError: the form of the image has no such key or object type.
    """
    for folder in (target / "in", target / "out"):
        if folder.exists():
            raise SourceError(f"{folder}: already exists. Give a new folder")
    hyperparameters = order.form
    _check_source(form, source, order)
    if Verb.TRAINING in order.verbs:
        return _training(*read_sets(form, source, order, tally, track), target, order, hyperparameters)
    return _candidates(READERS[form](source.resolve()), target, order, hyperparameters, tally, track)


def read_sets(form: str, source: Path, order: Order, tally: Tally, track: Track = iter) -> tuple[list[str], Sets]:
    """Class names, and the training and validation images with what the platform can say of their objects.

    Args:
        form: a key of `READERS`.
        source: the data set, as its reader wants it.
        order: a training.
        tally: takes what gets lost on the way.
        track: sees the images go by.

    Raises:
        SourceError: the data set cannot be read, or has no labels of the kind that the order needs.
    """
    _check_source(form, source, order)
    catalogue = READERS[form](source.resolve())
    names = class_names(catalogue, order.classes)
    splits = collect(catalogue, track(ordered(catalogue.entries)), names, _target(order), tally)
    return names, training_sets(splits, order.val_share, order.seed, tally)


def angle_unit(form: Mapping[str, object]) -> float:
    """Radians in the unit of angles that a form of rotated training asks for."""
    return AngleUnit(str(form.get("angle_unit") or AngleUnit.RADIAN)).radians


def _check_source(form: str, source: Path, order: Order) -> None:
    if not source.exists():
        raise SourceError(f"{source}: there is no such file or folder")
    if Verb.TRAINING not in order.verbs:
        return
    if form == "folder":
        raise SourceError(f"{source}: a folder of images has no labels to train on. Import it for mining or infer")
    if form in BOXES_ONLY and order.object_type is not ObjectType.DETECTION:
        raise SourceError(
            f"{form}: only has boxes, and object type {order.object_type.label} needs masks. Give coco or yolo"
        )


def _target(order: Order) -> Target:
    """Properties of objects that the task can hold."""
    form = order.form
    wanted = annotation_format(str(form.get("export_format") or ""))
    return Target(
        annotations=wanted,
        masks=order.object_type is not ObjectType.DETECTION,
        rotated="angle_unit" in form and wanted is not AnnotationFormat.COCO,
    )


def _training(names: Sequence[str], sets: Sets, target: Path, order: Order, form: Mapping[str, object]) -> Imported:
    model = order.model or Model([])
    with _all_or_nothing(target):
        env_file = write_training_task(
            target,
            sets.train,
            sets.val,
            names,
            form,
            pretrained=model.files,
            stage=model.stage,
            gpu_id=order.gpu_id,
            object_type=order.object_type,
            angle_unit=angle_unit(form),
        )
        _write_sources(target, [*sets.train, *sets.val])
    return Imported(env_file, names, {"train": sets.train, "val": sets.val})


def _candidates(
    catalogue: Catalogue, target: Path, order: Order, form: Mapping[str, object], tally: Tally, track: Track
) -> Imported:
    model = order.model or Model([])
    names = list(order.classes or model.class_names)
    if not names:
        raise SourceError("the classes are unknown. Give a model with its env.yaml, or --classes")
    entries = [replace(each, things=things_of(())) for each in catalogue.entries if order.split in (None, each.split)]
    splits = collect(catalogue, track(ordered(entries)), names, _target(order), tally)
    images = [image for part in splits.values() for image in part]
    if not images:
        raise SourceError(f"no image is left as a candidate (split: {order.split or 'all'})")
    with _all_or_nothing(target):
        env_file = write_candidate_task(
            target,
            images,
            model.files,
            names,
            form,
            run_mining=Verb.MINING in order.verbs,
            run_infer=Verb.INFER in order.verbs,
            stage=model.stage,
            gpu_id=order.gpu_id,
            object_type=order.object_type,
        )
        _write_sources(target, images)
    return Imported(env_file, names, {"candidates": images})


def _write_sources(target: Path, images: Iterable[StoredImage]) -> None:
    lines = (f"{image.asset.rpartition('/')[2]}\t{image.source}\n" for image in images)
    (target / SOURCES_FILE).write_text("".join(lines), encoding="utf-8")


@contextmanager
def _all_or_nothing(target: Path) -> Iterator[None]:
    """Takes the folders away again if writing fails: a full disk must not leave half a task."""
    try:
        yield
    except BaseException:
        for name in ("in", "out"):
            shutil.rmtree(target / name, ignore_errors=True)
        raise
