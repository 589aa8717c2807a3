"""det-torchvision-tmi: object detection with the SSD detectors of torchvision."""

import sys
from pathlib import Path

FILE = Path(__file__).resolve()
sys.path.insert(1, str(FILE.parent.parent))  # `common` lies beside this folder, in the repository and in the image

from common import torchvision
from common.contract import ObjectType
from common.run.image import Executor
from common.run.main import main

EXECUTOR = Executor(
    name="det-torchvision-tmi",
    start_file=FILE,
    families={ObjectType.DETECTION: torchvision.family("params:PARAMETERS")},
)

if __name__ == "__main__":
    sys.exit(main(EXECUTOR, sys.argv[1:]))
