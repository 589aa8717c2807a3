"""Every key, file name, state and code that the YMIR platform and an executor image agree on.

The code of the images takes them from here; only messages repeat them, and the keys of env.yaml are the fields of
`task.env.EnvFile`. The workbench and the tests have their own list: they check the images, so they must not share a
mistake with them. The facts were read from platform 2.5.0; where older platforms differ the constant says so.
"""

import math
from collections.abc import Collection
from enum import IntEnum, StrEnum
from typing import Final

ENV_FILE_VARIABLE: Final = "DEFAULT_ENV_FILE_PATH"
"""Environment variable that moves the whole task away from `/in`: every other path is read from the file it names."""

DEFAULT_ENV_FILE: Final = "/in/env.yaml"
DEFAULT_MONITOR_FILE: Final = "/out/monitor.txt"
"""Place of the report when env.yaml, which names the real one, cannot be read."""

WORK_FOLDER: Final = ".ymir"
"""Our scratch folder below the output root: framework data, checkpoints to resume from, shards. Never packed."""

REGIONS_FOLDER: Final = "masks"
"""Folder below the output root for the regions that mining asks annotators to label. The platform ignores it."""


class Verb(StrEnum):
    """A thing to do. A task is TRAINING alone, MINING alone, INFER alone, or MINING and INFER together."""

    TRAINING = "training"
    MINING = "mining"
    INFER = "infer"


class State(IntEnum):
    """Fourth field of monitor.txt. An image writes RUNNING or ERROR only: DONE ends a task for platforms <= 2.2."""

    UNKNOWN = 0
    PENDING = 1
    RUNNING = 2
    DONE = 3
    ERROR = 4


class Code(IntEnum):
    """Fifth field of monitor.txt: the reason of a failure, as the platform shows and documents it."""

    OK = 0
    CONTAINER = 160004
    CONFIG = 300001
    DATASET = 300002
    IMAGE = 300003
    MODEL = 300004
    OBJECT_TYPE = 300005
    DEVICE_MISMATCH = 300101
    NO_DEVICE = 300102
    OUT_OF_MEMORY = 300103
    NAN = 300201
    NETWORK = 300301


class ObjectType(IntEnum):
    """Kind of label of a project: key `object_type` of config.yaml, the manifest and result.yaml."""

    DETECTION = 2
    SEMANTIC = 3
    INSTANCE = 4
    MULTI_MODAL = 50

    @property
    def label(self) -> str:
        """Number and name, for people: `2 (detection)`."""
        return f"{self.value} ({self.name.lower()})"


PRIMARY_METRIC: Final = {ObjectType.DETECTION: "mAP", ObjectType.SEMANTIC: "mIoU", ObjectType.INSTANCE: "maskAP"}
"""Metric of a stage by which the platform lists a model."""

UNIT_METRICS: Final = ("mAP", "mAR", "mIoU", "mAcc", "maskAP", "boxAP")
"""Stage metrics that the platform validates: each must lie in [0, 1]."""

MAX_STAGES: Final = 11
"""Maximum number of stages in result.yaml: the ten newest and the best, as the platform's own toolkit keeps them."""


class AngleUnit(StrEnum):
    """Unit of `rotate_angle` in the platform's files: radians, or half turns (times pi it is radians)."""

    RADIAN = "radian"
    PI = "pi"

    @property
    def radians(self) -> float:
        """Radians in one unit."""
        return math.pi if self is AngleUnit.PI else 1.0


class AnnotationFormat(StrEnum):
    """First word of `export_format`. Every word the platform does not know exports nothing."""

    ARK = "ark"
    VOC = "voc"
    COCO = "coco"
    NONE = "none"


EXPORT_WORDS: Final = {
    "ark": AnnotationFormat.ARK,
    "det-ark": AnnotationFormat.ARK,
    "voc": AnnotationFormat.VOC,
    "det-voc": AnnotationFormat.VOC,
    "coco": AnnotationFormat.COCO,
    "seg-coco": AnnotationFormat.COCO,
}
USABLE_FORMATS: Final = {
    ObjectType.DETECTION: {
        "ark:raw": AnnotationFormat.ARK,
        "voc:raw": AnnotationFormat.VOC,
        "coco:raw": AnnotationFormat.COCO,
    },
    ObjectType.SEMANTIC: {"seg-coco:raw": AnnotationFormat.COCO},
    ObjectType.INSTANCE: {"seg-coco:raw": AnnotationFormat.COCO},
}
"""Values of `export_format` that a training can use, by object type: only COCO has masks."""


class ConfigKey(StrEnum):
    """Keys of config.yaml that define the task, as opposed to hyper-parameters."""

    CLASS_NAMES = "class_names"
    GPU_ID = "gpu_id"
    OBJECT_TYPE = "object_type"
    EXPORT_FORMAT = "export_format"
    PRETRAINED_MODEL = "pretrained_model_params"
    MODEL = "model_params_path"

    @classmethod
    def of_models(cls, verbs: Collection[Verb]) -> "ConfigKey":
        """Key that lists the files of the given model: a training may start from it, the other verbs need it."""
        return cls.PRETRAINED_MODEL if Verb.TRAINING in verbs else cls.MODEL


DEFAULT_EXPORT_FORMAT: Final = "voc:raw"
"""Export format that the platform uses when `export_format` is missing or empty."""

RESERVED_KEYS: Final = frozenset(
    {
        ConfigKey.CLASS_NAMES,
        ConfigKey.GPU_ID,
        ConfigKey.OBJECT_TYPE,
        ConfigKey.PRETRAINED_MODEL,
        ConfigKey.MODEL,
        "task_id",
        "gpu_count",
        "run_training",
        "run_mining",
        "run_infer",
        "openpai_enable",
        "git_url",
        "git_branch",
        "code_config",
        "prompt",
        "text_prompt",
    }
)
"""Keys of config.yaml that the platform itself writes. Everything else is a hyper-parameter."""

MODEL_SUFFIXES: Final = (".pt", ".pth")

TEMPLATE_FILE: Final = "{verb}-template.yaml"
MANIFEST_FILE: Final = "manifest.yaml"
TEMPLATE_FOLDERS: Final = {
    ObjectType.DETECTION: "det",
    ObjectType.SEMANTIC: "semantic-seg",
    ObjectType.INSTANCE: "instance-seg",
    ObjectType.MULTI_MODAL: "multi-modal",
}
"""Folders of the templates below `/img-man`, in an image with several object types."""

EXIT_STOPPED: Final = 143
"""Exit status of a task that was asked to stop by SIGTERM: 128 + 15, as a shell reports it."""
