"""What the demo does with an image: the data that it renders, the forms that it fills in, what it expects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workbench import shapes, ships
from workbench.images import REPOSITORY
from workbench.sample import Sample


@dataclass(frozen=True, slots=True)
class Plan:
    """One demo.

    Attributes:
        image: the folder of the image.
        class_names: the classes in the order of their indices.
        render: `count` images of a scene for a seed.
        scenes: how many of the unlabelled images show which scene. The first is that of the training too.
        counts: images to train on, and to validate.
        training: changes to the training template.
        mining: changes to the mining template, which serves mining and inference in one task too.
        least_ap50: AP at IoU 0.5 on the validation images, 0 to 1.
        rotated: whether the image finds rotated boxes.
    """

    image: Path
    class_names: Sequence[str]
    render: Callable[[int, int, Any], list[Sample]]
    scenes: Sequence[tuple[int, Any]]
    counts: tuple[int, int]
    training: Mapping[str, object]
    mining: Mapping[str, object]
    least_ap50: float
    rotated: bool = False

    def train(self) -> list[Sample]:
        """The training images."""
        return self.render(self.counts[0], 0, self.scenes[0][1])

    def val(self) -> list[Sample]:
        """The validation images."""
        return self.render(self.counts[1], 1, self.scenes[0][1])

    def unlabelled(self) -> list[Sample]:
        """The candidates."""
        return [
            sample
            for seed, (count, scene) in enumerate(self.scenes, start=2)
            for sample in self.render(count, seed, scene)
        ]


DEFAULT: Final = "det-yolov5-tmi"

PLANS: Final = {
    DEFAULT: Plan(
        image=REPOSITORY / DEFAULT,
        class_names=shapes.CLASS_NAMES,
        render=shapes.render,
        scenes=((84, shapes.PLAIN), (12, shapes.DIM), (12, shapes.CROWDED), (12, shapes.BLURRED)),
        counts=(320, 64),
        training={
            "model": "yolov5n",
            "img_size": 192,
            "epochs": 21,
            "batch_size_per_gpu": 16,
            "num_workers_per_gpu": 2,
            # From scratch on few images: a step after every batch of 16, not of 64, and twice the usual step.
            "args_options": "--exist-ok nbs=16 optimizer=AdamW lr0=0.003",
        },
        mining={"img_size": 192, "mining_algorithm": "entropy", "num_workers_per_gpu": 2},
        least_ap50=0.9,
    ),
    "rot-mmrotate-tmi": Plan(
        image=REPOSITORY / "rot-mmrotate-tmi",
        class_names=ships.CLASS_NAMES,
        render=ships.render,
        scenes=((84, ships.PLAIN), (12, ships.DIM), (12, ships.CROWDED), (12, ships.BLURRED)),
        counts=(320, 64),
        training={
            "model_name": "rtmdet_tiny",
            "img_size": 192,
            "max_epochs": 20,
            "val_interval": 2,
            "samples_per_gpu": 8,
            "workers_per_gpu": 2,
            # From scratch in a few hundred steps: the step of the configuration is for tens of thousands.
            "cfg_options": "optim_wrapper.optimizer.lr=0.002",
        },
        # After so short a training, most of what scores less is wrong, and would hide the images.
        mining={"mining_algorithm": "entropy", "workers_per_gpu": 2, "conf_threshold": 0.3},
        least_ap50=0.6,
        rotated=True,
    ),
}
"""The demos by the names of the images."""
