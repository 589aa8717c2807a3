"""A detector of torchvision behind the engine's `Predictor`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from common.images.decode import Pixels
from common.images.letterbox import Prepared, stretch
from common.predictions import Detections, Prediction
from common.run.device import device_of
from common.run.rank import Rank
from common.task.env import Task
from common.torchvision.checkpoint import trained
from common.weights.given import check_class_names, choose


def load_predictor(task: Task, parameters: Any, rank: Rank) -> "TorchvisionPredictor":
    """The given model on this rank's device. See `run.image.Family`.

    Raises:
        ModelError: there are no weights of this image, or they are for another number of classes.
    """
    path = choose(task.model_files)
    model, names = trained(path)
    check_class_names(path, names, task.class_names)
    model.score_thresh, model.nms_thresh = parameters.conf_thres, parameters.iou_thres
    return TorchvisionPredictor(model.to(device_of(task, rank)), names)


class TorchvisionPredictor:
    """See `loop.predictor.Predictor`.

    Args:
        model: an SSD, on its device.
        class_names: without the background.
    """

    def __init__(self, model: Any, class_names: Sequence[str]) -> None:
        self._model = model.eval()
        self._device = next(model.parameters()).device
        self._size = model.transform.fixed_size[0]
        self.class_names = class_names

    def prepare(self, image: Pixels) -> Prepared:
        """Stretch to the square that the model was made for."""
        return stretch(image, self._size)

    @torch.inference_mode()
    def predict(self, batch: NDArray[np.uint8], *, class_maps: bool) -> list[Prediction]:
        """Forward pass and NMS. No algorithm of this image asks for class maps."""
        images = list(as_tensor(batch).to(self._device))
        return [Prediction(self._detections(found)) for found in self._model(images)]

    def _detections(self, found: dict[str, torch.Tensor]) -> Detections:
        """Torchvision gives the probability of the best class only; those of the others are 0."""
        boxes, scores, labels = (found[key].cpu().numpy() for key in ("boxes", "scores", "labels"))
        probabilities = np.zeros((len(scores), len(self.class_names)), np.float32)
        probabilities[np.arange(len(scores)), labels - 1] = scores
        return Detections(boxes, scores, labels - 1, probabilities)


def as_tensor(batch: NDArray[np.uint8]) -> torch.Tensor:
    """`(..., H, W, 3)` uint8 BGR -> `(..., 3, H, W)` RGB in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(batch[..., ::-1], -1, -3))).float() / 255
