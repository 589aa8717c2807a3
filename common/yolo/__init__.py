"""Adapter for ultralytics: its trainer and its models behind the engine's interfaces.

Importing `common.yolo` and the modules `params`, `options` and `names` needs neither torch nor ultralytics.
"""

from common.run.entry import Entry
from common.run.image import Family


def family(parameters: str) -> Family:
    """Models of ultralytics, as start.py declares them.

    Args:
        parameters: `module:name` of the image's table of hyper-parameters.
    """
    return Family(Entry(parameters), Entry("common.yolo.train:train"), Entry("common.yolo.load:load_predictor"))
