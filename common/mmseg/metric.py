"""Computes the platform's metrics of semantic segmentation while mmsegmentation validates."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.registry import METRICS

from common.arrays import Labels
from common.mmlab.metric import MetricByClass
from common.results.semantic_metrics import Counts, confusion, semantic_metrics


class PixelMap(TypedDict):
    """A map of classes as mmsegmentation hands it over: `(1, height, width)`."""

    data: torch.Tensor


class Sample(TypedDict):
    """The entries that are read of the result for one image."""

    gt_sem_seg: PixelMap
    pred_sem_seg: PixelMap


@METRICS.register_module()
class PixelMetric(MetricByClass):
    """Intersection over union and accuracy of classes of pixels.

    Memory does not grow with the number of images: it keeps one matrix. The samplers of all ranks must show each image
    once.
    """

    results: list[Counts]

    def process(self, data_batch: object, data_samples: Sequence[Sample]) -> None:
        """Count the pixels of a batch, at the images' own sizes."""
        count = len(self.dataset_meta["classes"])
        for sample in data_samples:
            counts = confusion(_labels(sample["gt_sem_seg"]), _labels(sample["pred_sem_seg"]), count)
            self.results = [sum(self.results, counts)]

    def evaluate(self, size: int) -> dict[str, float]:
        """Compute the metrics of all ranks together, on each of them."""
        count = len(self.dataset_meta["classes"])
        matrix = torch.from_numpy(sum(self.results, np.zeros((count, count), np.int64)))
        all_reduce(matrix)
        self.results = []
        return self.compute_metrics([matrix.numpy()])

    def compute_metrics(self, results: Sequence[Counts]) -> dict[str, float]:
        """See `results.semantic_metrics.semantic_metrics`."""
        return self.keep(semantic_metrics(results[0], self.dataset_meta["classes"]))


def _labels(maps: PixelMap) -> Labels:
    """`(height, width)`, from a map with one channel."""
    labels: Labels = maps["data"][0].cpu().numpy()
    return labels
