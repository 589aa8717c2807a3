"""rot-mmrotate-tmi: detection of rotated boxes with mmrotate: rotated RTMDet, and every other detector that it has."""

import sys
from pathlib import Path

FILE = Path(__file__).resolve()
sys.path.insert(1, str(FILE.parent.parent))  # `common` lies beside this folder, in the repository and in the image

from common import mmlab
from common.contract import ObjectType
from common.run.image import Executor
from common.run.main import main

EXECUTOR = Executor(
    name="rot-mmrotate-tmi",
    start_file=FILE,
    families={ObjectType.DETECTION: mmlab.family("params:PARAMETERS")},
)

if __name__ == "__main__":
    sys.exit(main(EXECUTOR, sys.argv[1:]))
