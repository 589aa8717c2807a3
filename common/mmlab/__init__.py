"""Adapter for OpenMMLab: its runner and its detectors behind the engine's interfaces.

Importing `common.mmlab` and `common.mmlab.options` needs neither torch nor OpenMMLab.
"""

from common.run.entry import Entry
from common.run.image import Family


def family(parameters: str) -> Family:
    """Detectors of mmyolo, mmdetection or mmrotate, as start.py declares them.

    Args:
        parameters: `module:name` of the image's table of hyper-parameters.
    """
    return Family(Entry(parameters), Entry("common.mmlab.train:train"), Entry("common.mmlab.load:load_predictor"))
