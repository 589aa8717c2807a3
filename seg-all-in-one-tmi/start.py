"""seg-all-in-one-tmi: detection and instances with ultralytics, semantic segmentation with mmsegmentation."""

import sys
from pathlib import Path

FILE = Path(__file__).resolve()
sys.path.insert(1, str(FILE.parent.parent))  # `common` lies beside this folder, in the repository and in the image

from common import mmseg, yolo
from common.contract import ObjectType
from common.run.image import Executor
from common.run.main import main

EXECUTOR = Executor(
    name="seg-all-in-one-tmi",
    start_file=FILE,
    families={
        ObjectType.DETECTION: yolo.family("params:DETECTION"),
        ObjectType.SEMANTIC: mmseg.family("params:SEMANTIC"),
        ObjectType.INSTANCE: yolo.family("params:INSTANCE"),
    },
)

if __name__ == "__main__":
    sys.exit(main(EXECUTOR, sys.argv[1:]))
