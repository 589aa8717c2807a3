"""seg-all-in-one-tmi: detection and instance segmentation with ultralytics, semantic segmentation with mmsegmentation.

The project's object type says which. The platform starts this file without an argument. It then starts itself again as
the process (or, with torchrun, the processes) that loads torch.
"""

import sys
from pathlib import Path

FILE = Path(__file__).resolve()
sys.path.insert(1, str(FILE.parent.parent))  # `common` lies beside this folder, in the repository and in the image

from common.contract import ObjectType
from common.run.image import Executor, Family
from common.run.main import main

EXECUTOR = Executor(
    name="seg-all-in-one-tmi",
    start_file=FILE,
    families={
        ObjectType.DETECTION: Family(
            parameters="params:DETECTION",
            train="common.yolo.train:train",
            predictor="common.yolo.predictor:load_predictor",
        ),
        ObjectType.SEMANTIC: Family(
            parameters="params:SEMANTIC",
            train="common.mmseg.train:train",
            predictor="common.mmseg.predictor:load_predictor",
        ),
        ObjectType.INSTANCE: Family(
            parameters="params:INSTANCE",
            train="common.yolo.train:train",
            predictor="common.yolo.predictor:load_predictor",
        ),
    },
)

if __name__ == "__main__":
    sys.exit(main(EXECUTOR, sys.argv[1:]))
