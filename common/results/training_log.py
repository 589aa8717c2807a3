"""Everything that shows how a training goes while it runs: log lines, training-curve.csv, tensorboard."""

import logging
import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from common.results.curve import CURVE_FILE, Point, add_point
from common.results.training import RANKED_BY
from common.task.env import Task

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

log = logging.getLogger(__name__)


class TrainingLog:
    """Writes the log of one training. Only rank 0 calls it.

    Args:
        task: names the output folders and the metrics.
        unit: what is counted, `epoch` or `iteration`.
    """

    def __init__(self, task: Task, unit: str = "epoch") -> None:
        self._task = task
        self._unit = unit

    @cached_property
    def _board(self) -> "SummaryWriter":
        from tensorboardX import SummaryWriter  # not above: the parent imports `results` and draws nothing

        return SummaryWriter(str(self._task.env.output.tensorboard_dir))

    def draw(self, values: Mapping[str, float], done: int) -> None:
        """Add values to tensorboard, by name, after `done` epochs or iterations."""
        for name, value in values.items():
            self._board.add_scalar(name, value, done)

    def validated(self, done: int, total: int, metrics: Mapping[str, float], loss: float = math.nan) -> None:
        """Log a validation, and add it to the curve.

        Args:
            done: epochs or iterations that are finished.
            total: all of the training.
            metrics: by our names; those of `RANKED_BY` are among them.
            loss: mean total loss since the validation before.
        """
        shown = ", ".join(f"{name} {value:.4f}" for name, value in {"loss": loss, **metrics}.items())
        log.info("%s %d/%d: %s", self._unit, done, total, shown)
        kind, root = self._task.object_type, self._task.env.output.root_dir
        first, second = (metrics[name] for name in RANKED_BY[kind])
        add_point(root / CURVE_FILE, Point(done, first, second, loss), kind, self._unit)

    def close(self) -> None:
        """Flush what tensorboard still holds in memory."""
        if "_board" in vars(self):
            self._board.close()
