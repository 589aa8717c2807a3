"""Finds the starting point of a training: weights, or the configuration of a model."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from common.files import replacing, write_text
from common.task.env import Task
from common.weights.given import choose, log_from_scratch
from common.yolo.checkpoint import read_weights_for
from common.yolo.names import detectors, is_anchored, segmenters
from common.yolo.params import YoloTraining
from common.yolo.tasks import DETECT, SEGMENT, TASKS

if TYPE_CHECKING:
    from ultralytics.nn.tasks import BaseModel

log = logging.getLogger(__name__)

YOLOV5 = "yolov5"
"""Beginning of the names of its models. Some share a configuration of ultralytics, so files have their names."""

_HELPFUL = {DETECT: (DETECT,), SEGMENT: (SEGMENT, DETECT)}
"""Tasks of the models that a model for a task can start from."""


def starting_point(task: Task, parameters: YoloTraining) -> dict[str, str]:
    """Arguments of the trainer for its starting point.

    Returns:
        `model`: a `.pt` file of given or packaged weights, whose model is trained further, or a `.yaml` file. With the
        latter perhaps `pretrained`: weights of a detector, of which a model of instance segmentation takes what fits.
        For an anchored model also `box`, the gain that its loss has by default.

    Raises:
        ModelError: the weights cannot be loaded, or are for a task that has nothing in common with this one.
    """
    given = choose(task.model_files) if task.model_files else None
    source = given or _packaged(parameters)
    if source is None:
        log_from_scratch(parameters.model)
        activation = _written(parameters.activate or parameters.default_activation)
        return _arguments(_configured(task.scratch, parameters.model, activation), is_anchored(parameters.model))
    from common.yolo.anchored.legacy import is_yolov5
    from common.yolo.anchored.model import AnchoredModel

    wanted = TASKS[task.object_type]
    model = read_weights_for(source, *_HELPFUL[wanted])
    activation = _activation(parameters, source, model)
    if model.task != wanted:
        log.info("%s holds a detector: %s takes the tensors that fit", source, parameters.model)
        start = _configured(task.scratch, parameters.model, activation)
        readable = _copied(task.scratch, source, model) if is_yolov5(source) else source
        return _arguments(start, is_anchored(parameters.model)) | {"pretrained": str(readable)}
    if given is not None:
        log.info("fine-tuning %s; the model is that of the weights, %s", source, Path(model.yaml["yaml_file"]).stem)
    if is_yolov5(source) or activation != _own_activation(model):
        model.yaml["activation"] = activation
        source = _copied(task.scratch, source, model)
    return _arguments(source, isinstance(model, AnchoredModel))


def _arguments(model: Path, anchored: bool) -> dict[str, Any]:
    from common.yolo.anchored.loss import BOX_GAIN

    return {"model": str(model)} | ({"box": BOX_GAIN} if anchored else {})


def _packaged(parameters: YoloTraining) -> Path | None:
    """Packaged weights of the model, or of the detector that it is made from."""
    return parameters.zoo.find(parameters.model) or parameters.zoo.find(segmenters().get(parameters.model, ""))


def _written(activation: str) -> str:
    """An activation as ultralytics' configurations write it."""
    return f"torch.nn.{activation}()"


def _own_activation(model: "BaseModel") -> str:
    own: str = model.yaml.get("activation", _written("SiLU"))
    return own


def _activation(parameters: YoloTraining, source: Path, model: "BaseModel") -> str:
    own = _own_activation(model)
    wanted = _written(parameters.activate) if parameters.activate else own
    if wanted != own:
        log.warning(
            "activate: %s is not what %s was trained with; expect worse results", parameters.activate, source.name
        )
    return wanted


def configuration(model: str) -> dict[str, Any]:
    """Configuration of a model by its name; `yaml_file` holds the scale for ultralytics."""
    from ultralytics.nn.tasks import yaml_model_load

    from common.yolo.anchored.model import anchored

    stem = (detectors() | segmenters())[model]
    content: dict[str, Any] = yaml_model_load(f"{stem}.yaml")
    if is_anchored(model):
        content = anchored(content, masks=model in segmenters())
    return content | {"yaml_file": f"{model if model.startswith(YOLOV5) else stem}.yaml"}


def _configured(folder: Path, model: str, activation: str) -> Path:
    """Write the model's configuration with an activation. The name of the file, too, gives ultralytics the scale."""
    content = configuration(model) | {"activation": activation}
    path: Path = folder / content["yaml_file"]
    write_text(path, yaml.safe_dump(content, sort_keys=False))
    return path


def _copied(folder: Path, source: Path, model: "BaseModel") -> Path:
    """Copy a weights file with its model as it is now, in the form that ultralytics reads."""
    import torch

    path: Path = folder / "start" / f"{source.stem}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as handle:  # other ranks write and read the same one
        torch.save({"model": model, "train_args": {"task": model.task}}, handle)
    return path
