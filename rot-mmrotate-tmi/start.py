"""rot-mmrotate-tmi: detection of rotated boxes with mmrotate: rotated RTMDet, and every other detector that it has.

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
    name="rot-mmrotate-tmi",
    start_file=FILE,
    families={
        ObjectType.DETECTION: Family(
            parameters="params:PARAMETERS",
            train="common.mmlab.train:train",
            predictor="common.mmlab.model.predictor:load_predictor",
        )
    },
)

if __name__ == "__main__":
    sys.exit(main(EXECUTOR, sys.argv[1:]))
