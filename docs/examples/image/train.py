"""Training of a detector of torchvision: data set in, stages out."""

import math
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from common.datasets.coco_writer import to_coco, write_coco
from common.datasets.dataset import Dataset
from common.datasets.splits import Split
from common.datasets.stored import read_splits
from common.errors import NanError
from common.images.decode import read_image
from common.images.letterbox import stretch
from common.images.stream import work_ahead
from common.progress import Progress
from common.results.class_metrics import Evaluation
from common.results.coco_metrics import box_metrics
from common.results.stages import EVALUATE, Periodic, Stages
from common.results.training_log import TrainingLog
from common.run.device import device_of
from common.run.rank import Rank
from common.task.env import Task
from common.torchvision.checkpoint import build, read, save, take
from common.torchvision.predictor import TorchvisionPredictor, as_tensor
from common.weights.given import choose

Example = tuple[torch.Tensor, dict[str, torch.Tensor]]


def train(task: Task, parameters: Any, rank: Rank, progress: Progress) -> None:
    """Train, or resume after a kill. See `run.image.Family`."""
    if rank.number:
        return  # one process trains, however many GPUs there are
    training = Training(task, parameters, device_of(task, rank), read_splits(task.data_file, Dataset))
    for epoch in range(training.finished + 1, parameters.epochs + 1):
        training.run(epoch)
        progress(epoch / parameters.epochs)
    training.close()


class Training:
    """One training, with all that lasts longer than an epoch.

    Attributes:
        finished: epochs that were done before a kill.
    """

    def __init__(self, task: Task, parameters: Any, device: torch.device, splits: dict[str, Split[Dataset]]) -> None:
        self._task = task
        self._parameters = parameters
        self._device = device
        self._splits = splits
        self._log = TrainingLog(task)
        self._stages = Stages(task, task.scratch / "stages.json", Periodic(None))
        self._truth = task.scratch / "val.json"
        val = splits["val"]
        write_coco(to_coco(val.dataset, val.sizes, [file.name for file in val.files]), self._truth)
        self._model = build(parameters.model, len(task.class_names)).to(device)
        self._optimizer = torch.optim.AdamW(self._model.parameters(), parameters.learning_rate)
        self.finished = self._start(task.scratch / "last.pt")

    def run(self, epoch: int) -> None:
        """Train and validate, publish the model if it is the best, remember where to resume."""
        loss = self._train(epoch)
        evaluation = self._validate()
        metrics = evaluation.metrics
        self._log.draw({"loss": loss, **metrics}, epoch)
        self._log.validated(epoch, self._parameters.epochs, metrics, loss)
        weights = self._save(self._task.scratch / "weights.pt")
        best = self._stages.beats_best(metrics)
        self._stages.publish(weights, epoch, metrics, best=best, classes=evaluation.classes)
        self._save(self._task.scratch / "last.pt", optimizer=self._optimizer.state_dict(), epoch=epoch)

    def close(self) -> None:
        """Flush the log."""
        self._log.close()

    def _start(self, last: Path) -> int:
        """Load what a killed training left, or else given or packaged weights. Returns the finished epochs."""
        if last.is_file():
            content = read(last)
            self._model.load_state_dict(content["model"])
            self._optimizer.load_state_dict(content["optimizer"])
            return int(content["epoch"])
        given = choose(self._task.model_files) if self._task.model_files else None
        weights = given or self._parameters.zoo.find(self._parameters.model)
        if weights is not None:
            take(self._model, weights)
        return 0

    def _save(self, path: Path, **more: Any) -> Path:
        save(path, self._model, self._parameters.model, self._task.class_names, **more)
        return path

    def _train(self, epoch: int) -> float:
        """One pass over the training set. Returns the mean loss."""
        self._model.train()
        losses = []
        for batch in self._batches(epoch):
            images = [image.to(self._device) for image, _ in batch]
            targets = [{key: value.to(self._device) for key, value in target.items()} for _, target in batch]
            loss = sum(self._model(images, targets).values())
            if not math.isfinite(loss.item()):
                raise NanError(f"the loss is {loss.item()} in epoch {epoch}; a smaller learning_rate may help")
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            losses.append(loss.item())
        return float(np.mean(losses))

    def _batches(self, epoch: int) -> Iterator[list[Example]]:
        """All batches are full: the last one has some images again."""
        split, size = self._splits["train"], self._parameters.batch_size_per_gpu
        order = np.random.default_rng(epoch).permutation(len(split.files))
        order = np.resize(order, -(-len(order) // size) * size)
        load = partial(example, split, self._model.transform.fixed_size[0])
        examples = work_ahead(order.tolist(), load, self._parameters.num_workers_per_gpu, depth=2 * size)
        return iter(lambda: list(islice(examples, size)), [])

    def _validate(self) -> Evaluation:
        """The metrics of the model as it is now, of all classes and of each."""
        self._model.score_thresh, self._model.nms_thresh = EVALUATE["conf_thr"], 0.5
        predictor = TorchvisionPredictor(self._model, self._task.class_names)
        rows = [np.zeros((0, 7))]
        for number, file in enumerate(self._splits["val"].files, 1):
            prepared = predictor.prepare(read_image(file))
            [prediction] = predictor.predict(prepared.pixels[None], class_maps=False)
            found = prepared.placement.to_image(prediction.detections)
            low, high = np.split(found.boxes, 2, axis=1)
            columns = (np.full(len(found), number), low, high - low, found.scores, found.classes)
            rows.append(np.column_stack(columns).astype(np.float64))
        return box_metrics(self._truth, np.concatenate(rows))


def example(split: Split[Dataset], size: int, number: int) -> Example:
    """An image of a split as torchvision trains on it, fitted to a square of `size` pixels."""
    prepared = stretch(read_image(split.files[number]), size)
    rows = split.dataset.of_image(number)
    scale = np.tile([prepared.placement.scale_x, prepared.placement.scale_y], 2)
    boxes: NDArray[np.float64] = np.clip(split.dataset.boxes[rows] * scale, 0, size)
    whole = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    target = {
        "boxes": torch.from_numpy(boxes[whole].astype(np.float32)),
        "labels": torch.from_numpy(split.dataset.classes[rows][whole] + 1),
    }
    return as_tensor(prepared.pixels), target
