"""Names of ultralytics for the object types of a project."""

from typing import Final

from common.contract import ObjectType

DETECT: Final = "detect"
SEGMENT: Final = "segment"

TASKS: Final = {ObjectType.DETECTION: DETECT, ObjectType.INSTANCE: SEGMENT}
