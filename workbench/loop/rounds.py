"""The rounds of active learning: train, mine, label the first ones, train again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from common.contract import PRIMARY_METRIC, Verb
from workbench.asset import Asset
from workbench.imports.task import angle_unit
from workbench.loop.setup import Pool, Setup
from workbench.loop.step import Step
from workbench.model import Model, trained_model
from workbench.outputs import read_best_stage, read_ranking
from workbench.platform import write_candidate_task, write_training_task
from workbench.task import Task

CACHE: Final = "assets"
"""The folder of all image files, which every task links to."""


@dataclass(frozen=True, slots=True)
class Point:
    """One model of a learning curve.

    Attributes:
        algorithm: the one that chose the images.
        seed: number of the repetition.
        round: 0 = before anything was mined.
        images: number of labelled images.
        objects: number of objects on them.
        metric: the model's on the validation images, 0 to 1.
    """

    algorithm: str
    seed: int
    round: int
    images: int
    objects: int
    metric: float


class Loop:
    """A loop in a folder. Finished steps are not repeated."""

    def __init__(self, folder: Path, setup: Setup, pool: Pool, console: Console) -> None:
        self._folder = folder.resolve()
        self._setup = setup
        self._pool = pool
        self._console = console

    def points(self) -> Iterator[Point]:
        """Runs every step that is not done, and yields each point as soon as it is known.

        Raises:
            LoopError: a step failed.
        """
        for seed in range(self._setup.seeds):
            first = self._setup.first_images(self._pool, seed)
            metric = self._train(f"seed-{seed}/first", first, None)
            for algorithm in self._setup.algorithms:
                yield self._point(algorithm, seed, 0, first, metric)
            for algorithm in self._setup.algorithms:
                yield from self._rounds(algorithm, seed, first)

    def _rounds(self, algorithm: str, seed: int, first: Sequence[Asset]) -> Iterator[Point]:
        """The rounds of one algorithm."""
        labelled, before = list(first), f"seed-{seed}/first"
        for number in range(1, self._setup.rounds + 1):
            name = f"seed-{seed}/{algorithm}/round-{number}"
            labelled += self._mine(f"{name}/mining", algorithm, labelled, before)
            metric = self._train(f"{name}/training", labelled, None if self._setup.from_scratch else before)
            before = f"{name}/training"
            yield self._point(algorithm, seed, number, labelled, metric)

    def _point(self, algorithm: str, seed: int, number: int, labelled: Sequence[Asset], metric: float) -> Point:
        objects = sum(len(image.classes) for image in labelled)
        return Point(algorithm, seed, number, len(labelled), objects, metric)

    def _train(self, name: str, labelled: Sequence[Asset], before: str | None) -> float:
        """Trains on the labelled images; the metric of the model."""
        form = self._setup.form(Verb.TRAINING)

        def write(folder: Path) -> Path:
            model = self._model(before) if before else Model([])
            return write_training_task(
                folder,
                labelled,
                self._pool.val,
                self._pool.class_names,
                form,
                pretrained=model.files,
                stage=model.stage,
                angle_unit=angle_unit(form),
                **self._common(name),
            )

        result = self._run(Step(self._folder / name, f"{name}: {len(labelled)} images", write, self._read_metric))
        return float(result["metric"])

    def _mine(self, name: str, algorithm: str, labelled: Sequence[Asset], before: str) -> list[Asset]:
        """The images that are labelled next: the first ones of the ranking of all that have no labels."""
        known = {image.asset for image in labelled}
        rest = {Path(image.asset).stem: image for image in self._pool.train if image.asset not in known}

        def write(folder: Path) -> Path:
            model = self._model(before)
            return write_candidate_task(
                folder,
                list(rest.values()),
                model.files,
                self._pool.class_names,
                self._setup.form(Verb.MINING, mining_algorithm=algorithm),
                run_mining=True,
                run_infer=False,
                stage=model.stage,
                **self._common(name),
            )

        result = self._run(Step(self._folder / name, f"{name}: {len(rest)} candidates", write, self._read_first))
        return [rest[stem] for stem in result["chosen"]]

    def _common(self, name: str) -> dict[str, Any]:
        """Arguments of all tasks of a loop; the task id seeds the random numbers of an image."""
        return {
            "gpu_id": self._setup.gpu_id,
            "task_id": "loop-" + name.replace("/", "-"),
            "object_type": self._setup.object_type,
            "cache": self._folder / CACHE,
        }

    def _model(self, name: str) -> Model:
        return trained_model(self._folder / name / "in" / "env.yaml")

    def _run(self, step: Step) -> Mapping[str, Any]:
        return step.run(self._setup.image / "start.py", self._console)

    def _read_metric(self, task: Task) -> Mapping[str, Any]:
        return {"metric": float(read_best_stage(task)[PRIMARY_METRIC[self._setup.object_type]])}

    def _read_first(self, task: Task) -> Mapping[str, Any]:
        first = read_ranking(task)[: self._setup.add]
        return {"chosen": [path.stem for path, _ in first]}
