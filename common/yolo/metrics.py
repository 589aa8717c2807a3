"""ultralytics' names of metrics, and ours."""

from collections.abc import Mapping

MAP50, MAP50_95 = "metrics/mAP50(B)", "metrics/mAP50-95(B)"
"""Average precision at IoU 0.5, and averaged over IoU 0.5 to 0.95."""


def metrics_of(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics of a stage, from those of ultralytics."""
    return {"mAP": float(metrics[MAP50]), "mAP50_95": float(metrics[MAP50_95])}
