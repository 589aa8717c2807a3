"""Adapter for mmsegmentation: what semantic segmentation adds to `common.mmlab`.

Importing `common.mmseg` and the module `params` needs neither torch nor OpenMMLab.
"""

from common.run.entry import Entry
from common.run.image import Family


def family(parameters: str) -> Family:
    """Semantic models of mmsegmentation, as start.py declares them.

    Args:
        parameters: `module:name` of the image's table of hyper-parameters.
    """
    return Family(Entry(parameters), Entry("common.mmseg.train:train"), Entry("common.mmseg.load:load_predictor"))
