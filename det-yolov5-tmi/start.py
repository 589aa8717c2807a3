"""det-yolov5-tmi: object detection with YOLOv5 and every other ultralytics detector.

The platform starts this file without an argument. It then starts itself again as the process (or, with torchrun, the
processes) that loads torch.
"""

import sys
from pathlib import Path

FILE = Path(__file__).resolve()
sys.path.insert(1, str(FILE.parent.parent))  # `common` lies beside this folder, in the repository and in the image

from common.contract import ObjectType
from common.run.image import Executor, Family
from common.run.main import main

EXECUTOR = Executor(
    name="det-yolov5-tmi",
    start_file=FILE,
    families={
        ObjectType.DETECTION: Family(
            parameters="params:PARAMETERS",
            train="common.yolo.train:train",
            predictor="common.yolo.predictor:load_predictor",
        )
    },
)

if __name__ == "__main__":
    sys.exit(main(EXECUTOR, sys.argv[1:]))
