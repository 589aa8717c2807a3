"""ultralytics' names of metrics, and ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from common.yolo.tasks import DETECT, SEGMENT


@dataclass(frozen=True, slots=True)
class Precision:
    """Average precision of what a model finds: its boxes or its masks.

    Attributes:
        name: ours.
        mark: what ultralytics puts behind its own.
    """

    name: str
    mark: str

    @property
    def at50(self) -> str:
        """Ultralytics' name of it at IoU 0.5."""
        return f"metrics/mAP50{self.mark}"

    @property
    def at50_95(self) -> str:
        """Ultralytics' name of it, averaged over IoU 0.5 to 0.95."""
        return f"metrics/mAP50-95{self.mark}"


PRECISIONS: Final = {
    DETECT: (Precision("mAP", "(B)"),),
    SEGMENT: (Precision("maskAP", "(M)"), Precision("boxAP", "(B)")),
}
"""By ultralytics' task. The first is what the platform compares models by."""


def metrics_of(task: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics of a stage of ultralytics' `task`, from its own."""
    ours = {}
    for precision in PRECISIONS[task]:
        ours[precision.name] = float(metrics[precision.at50])
        ours[f"{precision.name}50_95"] = float(metrics[precision.at50_95])
    return ours
