"""Plans of the demos: data, forms and expected results per image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from common.contract import ObjectType
from workbench import shapes, ships
from workbench.images import REPOSITORY
from workbench.masked import Rendered, render_masked
from workbench.paint import DARK, UNSHARP
from workbench.scene import Scene, render


@dataclass(frozen=True, slots=True)
class Plan:
    """One demo.

    Attributes:
        image: the folder of the image.
        object_type: what the project labels.
        class_names: the classes in the order of their indices.
        scenes: numbers of unlabelled images, each with its scene. The first scene is that of the training too.
        counts: images to train on, and to validate.
        training: changes to the training template.
        mining: changes to the mining template, which serves mining and inference in one task too.
        least: lowest expected value of the metric that the platform lists a model by, on validation, 0 to 1.
        rotated: whether the image finds rotated boxes.
    """

    image: Path
    object_type: ObjectType
    class_names: Sequence[str]
    scenes: Sequence[tuple[int, Scene]]
    counts: tuple[int, int]
    training: Mapping[str, object]
    mining: Mapping[str, object]
    least: float
    rotated: bool = False

    @property
    def name(self) -> str:
        """For people: `seg-all-in-one-tmi/semantic`."""
        return f"{self.image.name}/{self.object_type.name.lower()}"

    def train(self) -> Sequence[Rendered]:
        """The training images."""
        return self._render(self.counts[0], 0, self.scenes[0][1])

    def val(self) -> Sequence[Rendered]:
        """The validation images."""
        return self._render(self.counts[1], 1, self.scenes[0][1])

    def unlabelled(self) -> list[Rendered]:
        """The candidates."""
        return [
            sample
            for seed, (count, scene) in enumerate(self.scenes, start=2)
            for sample in self._render(count, seed, scene)
        ]

    def _render(self, count: int, seed: int, scene: Scene) -> Sequence[Rendered]:
        return (render if self.object_type is ObjectType.DETECTION else render_masked)(count, seed, scene)


DEFAULT: Final = "det-yolov5-tmi"

_SCENES: Final = ((84, shapes.PLAIN), (12, shapes.DIM), (12, shapes.CROWDED), (12, shapes.BLURRED))
_CUT_SCENES: Final = tuple((count, replace(scene, holed_share=0.3, split_share=0.3)) for count, scene in _SCENES)
"""For masks: some objects have holes or several parts."""

_LARGE_SCENES: Final = (
    (96, shapes.LARGE),
    (12, replace(shapes.LARGE, exposure=DARK)),
    (12, replace(shapes.LARGE, exposure=UNSHARP)),
)

_COUNTS: Final = (320, 64)

# From scratch on few images: a step after every batch of 16, not of 64, and twice the usual step.
# Without anchors: from scratch, a model with anchors learns in more epochs than a demo has.
_YOLO_TRAINING: Final = {
    "img_size": 192,
    "batch_size_per_gpu": 16,
    "num_workers_per_gpu": 2,
    "args_options": "--exist-ok nbs=16 optimizer=AdamW lr0=0.003",
}
_YOLO_MINING: Final = {"img_size": 192, "num_workers_per_gpu": 2}

# The recipe of the configuration is for 160 000 steps on street scenes: another optimizer, faster averages of batch
# normalisation, classes that compete, and crops that hold whole objects.
_FASTSCNN_FROM_SCRATCH: Final = " ".join(
    (
        "optim_wrapper.optimizer._delete_=True optim_wrapper.optimizer.type=AdamW optim_wrapper.optimizer.lr=0.002",
        "model.backbone.norm_cfg.momentum=0.1 model.decode_head.norm_cfg.momentum=0.1",
        "model.decode_head.loss_decode.use_sigmoid=False",
        "train_dataloader.dataset.pipeline.3.crop_size=(256,256) model.data_preprocessor.size=(256,256)",
        "train_dataloader.dataset.pipeline.2.ratio_range=(0.8,1.25)",
    )
)

_DETECTION: Final = Plan(
    image=REPOSITORY / DEFAULT,
    object_type=ObjectType.DETECTION,
    class_names=shapes.CLASS_NAMES,
    scenes=_SCENES,
    counts=_COUNTS,
    training=_YOLO_TRAINING | {"model": "yolov5nu", "epochs": 24},
    mining=_YOLO_MINING | {"mining_algorithm": "entropy"},
    least=0.9,
)

PLANS: Final = (
    _DETECTION,
    Plan(
        image=REPOSITORY / "rot-mmrotate-tmi",
        object_type=ObjectType.DETECTION,
        class_names=ships.CLASS_NAMES,
        scenes=((84, ships.PLAIN), (12, ships.DIM), (12, ships.CROWDED), (12, ships.BLURRED)),
        counts=_COUNTS,
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
        least=0.6,
        rotated=True,
    ),
    Plan(
        image=REPOSITORY / "seg-all-in-one-tmi",
        object_type=ObjectType.SEMANTIC,
        class_names=shapes.CLASS_NAMES,
        scenes=_LARGE_SCENES,
        counts=_COUNTS,
        training={
            "img_size": 256,
            "max_iters": 2500,
            "interval": 250,
            "samples_per_gpu": 8,
            "workers_per_gpu": 2,
            "cfg_options": _FASTSCNN_FROM_SCRATCH,
        },
        mining={
            "mining_algorithm": "RSAL",
            "max_superpixel_per_image": 256,
            "max_kept_mining_image": 24,
            "samples_per_gpu": 8,
            "workers_per_gpu": 2,
        },
        least=0.7,
    ),
    Plan(
        image=REPOSITORY / "seg-all-in-one-tmi",
        object_type=ObjectType.INSTANCE,
        class_names=shapes.CLASS_NAMES,
        scenes=_CUT_SCENES,
        counts=_COUNTS,
        training=_YOLO_TRAINING | {"model": "yolov8n-seg", "epochs": 25},
        mining=_YOLO_MINING | {"mining_algorithm": "apis"},
        least=0.6,
    ),
    replace(_DETECTION, image=REPOSITORY / "seg-all-in-one-tmi"),
)
"""The demos. The first of an image is the one that people see who do not choose an object type."""


def find_plan(image: str, object_type: str | None = None) -> Plan:
    """The demo of an image.

    Args:
        image: its name.
        object_type: the name of one of `ObjectType`, in any case; None = the image's first.

    Raises:
        ValueError: there is none.
    """
    known = [plan for plan in PLANS if plan.image.name == image]
    if not known:
        allowed = ", ".join(dict.fromkeys(plan.image.name for plan in PLANS))
        raise ValueError(f"image {image!r}; allowed are {allowed}")
    if object_type is None:
        return known[0]
    for plan in known:
        if plan.object_type.name == object_type.upper():
            return plan
    allowed = ", ".join(plan.object_type.name.lower() for plan in known)
    raise ValueError(f"object type {object_type!r} of {image}; allowed are {allowed}")
