"""Adapter for the detectors of torchvision. Importing this needs no torch."""

from common.run.entry import Entry
from common.run.image import Family


def family(parameters: str) -> Family:
    """Detectors of torchvision, as start.py declares them.

    Args:
        parameters: `module:name` of the image's table of hyper-parameters.
    """
    return Family(
        Entry(parameters), Entry("common.torchvision.train:train"), Entry("common.torchvision.predictor:load_predictor")
    )
