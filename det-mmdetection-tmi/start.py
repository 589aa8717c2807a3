"""det-mmdetection-tmi: object detection with mmdetection: YOLOX, and every other detector of boxes that it has."""

import sys
from pathlib import Path

FILE = Path(__file__).resolve()
sys.path.insert(1, str(FILE.parent.parent))  # `common` lies beside this folder, in the repository and in the image

from common import mmlab
from common.contract import ObjectType
from common.run.image import Executor
from common.run.main import main

EXECUTOR = Executor(
    name="det-mmdetection-tmi",
    start_file=FILE,
    families={ObjectType.DETECTION: mmlab.family("params:PARAMETERS")},
)

if __name__ == "__main__":
    sys.exit(main(EXECUTOR, sys.argv[1:]))
