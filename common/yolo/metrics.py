"""ultralytics' names of metrics, and ours."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

from common.results.class_metrics import ClassMetrics
from common.yolo.tasks import DETECT, SEGMENT


@dataclass(frozen=True, slots=True)
class Precision:
    """Average precision of what a model finds: its boxes or its masks.

    Attributes:
        name: ours.
        mark: what ultralytics puts behind its own.
        part: attribute of ultralytics' metrics that has it by class.
    """

    name: str
    mark: str
    part: str

    @property
    def at50(self) -> str:
        """Ultralytics' name of it at IoU 0.5."""
        return f"metrics/mAP50{self.mark}"

    @property
    def at50_95(self) -> str:
        """Ultralytics' name of it, averaged over IoU 0.5 to 0.95."""
        return f"metrics/mAP50-95{self.mark}"


PRECISIONS: Final = {
    DETECT: (Precision("mAP", "(B)", "box"),),
    SEGMENT: (Precision("maskAP", "(M)", "seg"), Precision("boxAP", "(B)", "box")),
}
"""By ultralytics' task. The first is what the platform compares models by."""

_CLASSES: Final = "classes"
"""Ours, among the metrics in a checkpoint: plain tuples, so that it can be read without this code."""


def metrics_of(task: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics of a stage of ultralytics' `task`, from its own."""
    ours = {}
    for precision in PRECISIONS[task]:
        ours[precision.name] = float(metrics[precision.at50])
        ours[f"{precision.name}50_95"] = float(metrics[precision.at50_95])
    return ours


def classes_of(task: str, metrics: Any) -> tuple[ClassMetrics, ...]:
    """The same by class, from the metrics of ultralytics' validator; nothing before it has validated."""
    if metrics.nt_per_class is None:
        return ()
    part = getattr(metrics, PRECISIONS[task][0].part)
    indices = [int(index) for index in part.ap_class_index]
    at50, mean = (dict(zip(indices, map(float, values), strict=True)) for values in (part.ap50, part.ap))
    return tuple(
        ClassMetrics(name, at50.get(index), mean.get(index), int(metrics.nt_per_class[index]))
        for index, name in sorted(metrics.names.items())
    )


def with_classes(metrics: Mapping[str, Any], classes: Sequence[ClassMetrics]) -> dict[str, Any]:
    """Metrics for a checkpoint that also tells them by class."""
    return {**metrics, _CLASSES: [astuple(each) for each in classes]}


def saved_classes(metrics: Mapping[str, Any]) -> tuple[ClassMetrics, ...]:
    """What a checkpoint tells by class."""
    return tuple(ClassMetrics(*row) for row in metrics[_CLASSES])
