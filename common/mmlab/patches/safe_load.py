"""Has mmengine read files by our restricted reader.

Its own reader tries `weights_only=True` first, and reads whatever that refuses without any restriction.
"""

from pathlib import Path
from typing import Any

from common.errors import ModelError
from common.weights.pickles import load


def read_checkpoint(path: Path) -> Any:
    """Read a checkpoint of OpenMMLab: tensors, plain data, and the curves of a training.

    Raises:
        ModelError: it is damaged, is not a file of `torch.save`, or would run something; the message names it.
    """
    return load(path, classes=[_curves])


def install() -> None:
    """Replace the reader of `mmengine.runner.load_checkpoint`, for which all of its loaders call one function."""
    from mmengine.runner import checkpoint

    checkpoint._safe_torch_load = _from_disk


def _from_disk(file: object, map_location: object = None, weights_only: bool | None = None) -> Any:
    if not isinstance(file, str | Path):
        raise ModelError("a checkpoint that is not a file of this machine; a task does not download")
    return read_checkpoint(Path(file))


def _curves(module: str, name: str) -> type | None:
    from mmengine.logging import HistoryBuffer

    return HistoryBuffer if name == HistoryBuffer.__name__ and module.partition(".")[0] == "mmengine" else None
