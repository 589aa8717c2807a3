"""Translates ultralytics' names of metrics into ours."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final

from common.results.class_metrics import ClassMetrics
from common.yolo.tasks import DETECT, SEGMENT

if TYPE_CHECKING:
    from ultralytics.utils.metrics import DetMetrics


@dataclass(frozen=True, slots=True)
class Precision:
    """Average precision of boxes or of masks.

    Attributes:
        name: ours.
        mark: suffix of ultralytics' names.
        part: attribute of ultralytics' metrics that holds it by class.
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
"""Average precisions by ultralytics' task. The platform compares models by the first one."""

_CLASSES: Final = "classes"
"""Our key among the metrics in a checkpoint. Its values are plain tuples, so that it can be read without this code."""


def metrics_of(task: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics of a stage, from those of ultralytics for its `task`."""
    ours = {}
    for precision in PRECISIONS[task]:
        ours[precision.name] = float(metrics[precision.at50])
        ours[f"{precision.name}50_95"] = float(metrics[precision.at50_95])
    return ours


def classes_of(task: str, metrics: "DetMetrics") -> tuple[ClassMetrics, ...]:
    """Metrics by class, from those of ultralytics' validator; empty before the first validation."""
    if metrics.nt_per_class is None:
        return ()
    part = getattr(metrics, PRECISIONS[task][0].part)
    indices = [int(index) for index in part.ap_class_index]
    at50, mean = (dict(zip(indices, map(float, values), strict=True)) for values in (part.ap50, part.ap))
    return tuple(
        ClassMetrics(name, at50.get(index), mean.get(index), int(metrics.nt_per_class[index]))
        for index, name in sorted(metrics.names.items())
    )


def with_classes(metrics: Mapping[str, object], classes: Sequence[ClassMetrics]) -> dict[str, object]:
    """Metrics for a checkpoint, with those by class among them."""
    return {**metrics, _CLASSES: [astuple(each) for each in classes]}


def saved_classes(metrics: Mapping[str, Any]) -> tuple[ClassMetrics, ...]:
    """Metrics by class in a checkpoint."""
    return tuple(ClassMetrics(*row) for row in metrics[_CLASSES])
