"""Settings of a loop, and its data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from common.contract import ObjectType, Verb
from workbench.asset import Asset
from workbench.form import filled_form

SETUP_FILE: Final = "loop.yaml"


class LoopError(Exception):
    """A loop that cannot start or continue; the message says why and what to do."""


@dataclass(frozen=True, eq=False, slots=True)
class Pool:
    """The data, all of it with labels, most of which the loop hides.

    Attributes:
        name: for people and for the record.
        class_names: in the order of their indices.
        train: the images to choose from.
        val: the images that every model is judged by.
    """

    name: str
    class_names: Sequence[str]
    train: Sequence[Asset]
    val: Sequence[Asset]


@dataclass(frozen=True, slots=True)
class Setup:
    """Settings of a loop.

    Attributes:
        image: the folder of the executor image.
        object_type: what is labelled.
        algorithms: values of `mining_algorithm` to compare.
        start: images with labels before the first round, chosen by chance.
        add: images labelled per round.
        rounds: number of rounds of mining, labelling and training.
        seeds: repetitions, each with other first images.
        from_scratch: whether each round trains from scratch, or continues from the model of the previous round.
        training: changes to the training template.
        mining: changes to the mining template.
        gpu_id: devices as the image sees them, `0,1`; empty = CPU.
    """

    image: Path
    object_type: ObjectType = ObjectType.DETECTION
    algorithms: Sequence[str] = ("random", "entropy")
    start: int = 60
    add: int = 30
    rounds: int = 2
    seeds: int = 1
    from_scratch: bool = False
    training: Mapping[str, object] = field(default_factory=dict)
    mining: Mapping[str, object] = field(default_factory=dict)
    gpu_id: str = ""

    def form(self, verb: Verb, **more: object) -> dict[str, object]:
        """The form of a task."""
        changes = self.training if verb is Verb.TRAINING else self.mining
        return filled_form(self.image, verb, dict(changes) | more, self.object_type)

    def first_images(self, pool: Pool, seed: int) -> list[Asset]:
        """The images that have labels before the first round."""
        by_name = sorted(pool.train, key=lambda image: image.asset)
        chosen = np.random.default_rng(seed).permutation(len(by_name))[: self.start]
        return [by_name[i] for i in chosen.tolist()]


def check_setup(setup: Setup, pool: Pool, folder: Path) -> None:
    """Makes sure that a loop can run, and is the one that `folder` was started with.

    More algorithms, seeds and rounds may be asked for than in an earlier run; what that has done counts.

    Raises:
        LoopError: there are too few images, or the folder belongs to another loop.
        ValueError: the form of the image has no such key.
    """
    needed = setup.start + setup.add * setup.rounds
    if len(pool.train) < needed:
        raise LoopError(
            f"{pool.name} has {len(pool.train)} images to choose from; {setup.start} + {setup.rounds} rounds of "
            f"{setup.add} need {needed}. Ask for fewer"
        )
    for verb in (Verb.TRAINING, Verb.MINING):
        setup.form(verb)
    record = _record(setup, pool)
    file = folder / SETUP_FILE
    if file.is_file():
        before = yaml.safe_load(file.read_text(encoding="utf-8"))
        if other := [key for key in record if before.get(key) != record[key]]:
            changes = "; ".join(f"{key} was {before.get(key)!r}, now {record[key]!r}" for key in other)
            raise LoopError(
                f"{folder}: was started with other settings ({changes}). Give another folder, or the same settings"
            )
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(record, allow_unicode=True), encoding="utf-8")


def _record(setup: Setup, pool: Pool) -> dict[str, Any]:
    """Settings that must stay the same for steps to be comparable."""
    rules = asdict(setup)
    for key in ("algorithms", "seeds", "rounds", "gpu_id"):
        del rules[key]
    rules |= {"image": setup.image.name, "object_type": int(setup.object_type)}
    rules |= {key: dict(rules[key]) for key in ("training", "mining")}
    return rules | {"data": pool.name, "images": [len(pool.train), len(pool.val)], "classes": list(pool.class_names)}
