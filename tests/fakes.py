"""A predictor without a framework, and tasks as the platform writes them.

The names and keys of the platform are spelled out again, apart from `common.contract`, so that a slip there shows.
"""

import json
import os
import runpy
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from common.images.decode import Pixels
from common.images.letterbox import Prepared, letterbox, stretch
from common.masks.prototypes import Prototypes
from common.predictions import Detections, Prediction

CLASS_NAMES = ("dog", "黑 cat")
TASK_ID = "t0000001000002a1b2c3d4e5"
SHAPES = ((48, 32), (32, 48), (40, 40), (64, 16))
"""Heights and widths of the fake images: mixed, so that batches have several shapes."""


class StubPredictor:
    """Predicts boxes that depend on nothing but the pixels of the image, and counts its work.

    Attributes:
        prepared: images that were fitted.
        forwarded: images in all forward passes together.
        batches: the shape of each forward pass.
        maps_asked: whether class maps were asked for, each time.
        dies_after: forward passes until the process is "killed"; None = never.
    """

    def __init__(self, *, least: int = 0, dies_after: int | None = None) -> None:
        self.prepared = 0
        self.batches: list[tuple[int, ...]] = []
        self.maps_asked: list[bool] = []
        self._least = least
        self._dies_after = dies_after

    @property
    def forwarded(self) -> int:
        return sum(shape[0] for shape in self.batches)

    def prepare(self, image: Pixels) -> Prepared:
        self.prepared += 1
        return letterbox(image, 64, 32)

    def predict(self, batch: NDArray[np.uint8], *, class_maps: bool) -> list[Prediction]:
        if len(self.batches) == self._dies_after:
            raise KeyboardInterrupt
        self.batches.append(batch.shape)
        self.maps_asked.append(class_maps)
        return [self._look(pixels, class_maps) for pixels in batch]

    def _look(self, pixels: NDArray[np.uint8], class_maps: bool) -> Prediction:
        rng = np.random.default_rng(zlib.crc32(np.ascontiguousarray(pixels).tobytes()))
        n = int(rng.integers(self._least, 4))
        height, width = pixels.shape[:2]
        corners = rng.random((n, 2, 2)) * (width, height)
        probabilities = rng.random((n, len(CLASS_NAMES))).astype(np.float32)
        boxes = np.hstack([corners.min(axis=1), corners.max(axis=1) + 1]).astype(np.float32)
        found = Detections(boxes, probabilities.max(axis=1), probabilities.argmax(axis=1), probabilities)
        maps = (rng.random((len(CLASS_NAMES), height // 8, width // 8)).astype(np.float32),) if class_maps else ()
        return Prediction(found, maps)


class StubPixels:
    """Classes of pixels, without a framework: `PixelClasses` of given probabilities."""

    def __init__(self, probabilities: NDArray[np.float32]) -> None:
        self._probabilities = probabilities

    def probabilities(self) -> NDArray[np.float32]:
        return self._probabilities

    def labels(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        best = self._probabilities.argmax(axis=0).astype(np.uint8)
        return cv2.resize(best, size[::-1], interpolation=cv2.INTER_NEAREST)


class StubSemantic(StubPredictor):
    """Says that a pixel is of the class of its strongest channel, blue or green, or else of the background."""

    class_names = CLASS_NAMES

    def prepare(self, image: Pixels) -> Prepared:
        self.prepared += 1
        return stretch(image, 32)

    def _look(self, pixels: NDArray[np.uint8], class_maps: bool) -> Prediction:
        shares = pixels.transpose(2, 0, 1).astype(np.float32) + 1
        return Prediction(Detections.empty(1), pixels=StubPixels(shares / shares.sum(axis=0)))


class StubInstances(StubPredictor):
    """Adds masks to the boxes of its base. With dropout it leaves out some of the objects."""

    class_names = CLASS_NAMES

    def _look(self, pixels: NDArray[np.uint8], class_maps: bool) -> Prediction:
        plain = super()._look(pixels, class_maps)
        height, width = pixels.shape[:2]
        rng = np.random.default_rng(zlib.crc32(np.ascontiguousarray(pixels).tobytes()))
        coefficients = rng.normal(size=(len(plain.detections), 4)).astype(np.float32)
        prototypes = rng.normal(size=(4, height // 4, width // 4)).astype(np.float32)
        return replace(plain, masks=Prototypes(coefficients, prototypes, (height, width)))

    def predict_dropout(self, batch: NDArray[np.uint8], passes: Sequence[Sequence[int]]) -> Iterator[list[Prediction]]:
        for seeds in passes:
            whole = self.predict(batch, class_maps=False)
            yield [_thinned(each, seed) for each, seed in zip(whole, seeds, strict=True)]


def _thinned(prediction: Prediction, seed: int) -> Prediction:
    rows = np.flatnonzero(np.random.default_rng(seed).random(len(prediction.detections)) < 0.7)
    assert prediction.masks is not None
    masks = replace(prediction.masks, coefficients=prediction.masks.coefficients[rows])
    return Prediction(prediction.detections.take(rows), masks=masks)


def write_images(folder: Path, count: int) -> list[Path]:
    """PNG files of mixed shapes, no two alike."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    paths = [folder / f"{i:03d}.png" for i in range(count)]
    for i, path in enumerate(paths):
        pixels = rng.integers(0, 256, (*SHAPES[i % len(SHAPES)], 3), np.uint8)
        path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return paths


def write_task(
    root: Path,
    *verbs: str,
    images: Iterable[Path] = (),
    model: bool = True,
    config: Mapping[str, Any] | None = None,
    env: Mapping[str, Any] | None = None,
) -> Path:
    """Write a task below `root`.

    Args:
        root: gets the folders `in` and `out`.
        verbs: of `training`, `mining`, `infer`.
        images: candidates; for a training, of the training set and of the validation set.
        model: whether a trained model is given.
        config: further keys of config.yaml; None as value leaves a key out.
        env: further keys of env.yaml, likewise.

    Returns:
        The path of env.yaml.
    """
    for folder in ("in/assets", "in/annotations", "in/models/best", "out/models", "out/tensorboard"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    masks = "coco" in str((config or {}).get("export_format"))
    indexes = _write_indexes(root / "in", list(images), training="training" in verbs, masks=masks)
    given = {}
    if model:
        (root / "in/models/best/best.pt").write_bytes(b"weights")
        key = "pretrained_model_params" if "training" in verbs else "model_params_path"
        given[key] = [str(root / "in/models/best/best.pt")]
    reserved = {"task_id": TASK_ID, "class_names": list(CLASS_NAMES), "gpu_count": 0, "gpu_id": "", "object_type": 2}
    _write_yaml(root / "in/config.yaml", reserved | {"export_format": "ark:raw"} | given | dict(config or {}))
    flags = {f"run_{verb}": verb in verbs for verb in ("training", "mining", "infer")}
    content = {"protocol_version": "1.1.0", "task_id": TASK_ID, "manifest_file": "/img-man/manifest.yaml"} | flags
    content |= {"input": _input(root / "in", indexes), "output": _output(root / "out")}
    return _write_yaml(root / "in/env.yaml", content | dict(env or {}))


def _write_indexes(folder: Path, images: list[Path], *, training: bool, masks: bool) -> dict[str, str]:
    if not training:
        (folder / "candidate-index.tsv").write_text("".join(f"{path}\n" for path in images), encoding="utf-8")
        return {"candidate": str(folder / "candidate-index.tsv")}
    for name in ("train", "val"):
        lines = []
        for path in images:
            annotation = folder / "annotations" / f"{path.stem}.txt"
            annotation.write_text("0, 1, 1, 9, 9, -1.0, 0.0\n", encoding="utf-8")
            if masks:
                annotation = _write_masks(folder / "annotations" / "coco-annotations.json", images)
            lines.append(f"{path}\t{annotation}\n")
        (folder / f"{name}-index.tsv").write_text("".join(lines), encoding="utf-8")
    return {"training": str(folder / "train-index.tsv"), "val": str(folder / "val-index.tsv")}


def _write_masks(file: Path, images: list[Path]) -> Path:
    """A COCO document with one object in each image, a rectangle of 8 by 8 pixels."""
    sizes = {path: cv2.imread(str(path)).shape for path in images}
    rectangle = [[1, 1, 9, 1, 9, 9, 1, 9]]
    document = {
        "images": [
            {"id": i, "file_name": path.name, "width": sizes[path][1], "height": sizes[path][0]}
            for i, path in enumerate(images)
        ],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 0, "bbox": [1, 1, 8, 8], "area": 64, "segmentation": rectangle}
            for i, _ in enumerate(images)
        ],
    }
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def _input(folder: Path, indexes: Mapping[str, str]) -> dict[str, str]:
    places = {"root_dir": "", "assets_dir": "assets", "annotations_dir": "annotations", "models_dir": "models"}
    names = {f"{name}_index_file": indexes.get(name, "") for name in ("training", "val", "candidate")}
    return {key: str(folder / name) for key, name in places.items()} | names | {"config_file": f"{folder}/config.yaml"}


def _output(folder: Path) -> dict[str, str]:
    names = {
        "root_dir": "",
        "models_dir": "models",
        "tensorboard_dir": "tensorboard",
        "training_result_file": "models/result.yaml",
        "mining_result_file": "result.tsv",
        "infer_result_file": "infer-result.json",
        "monitor_file": "monitor.txt",
        "executor_log_file": "ymir-executor-out.log",
    }
    return {key: str(folder / name) for key, name in names.items()}


def _write_yaml(path: Path, content: Mapping[str, Any]) -> Path:
    present = {key: value for key, value in content.items() if value is not None}
    path.write_text(yaml.dump(present, Dumper=yaml.CSafeDumper, allow_unicode=True), encoding="utf-8")
    return path


def run_here(start_file: Path, env_file: Path, _console: object = None) -> int:
    """As `run_image`, in this process: a process for each of many tasks takes seconds."""
    os.environ["DEFAULT_ENV_FILE_PATH"] = str(env_file)
    output = yaml.load(env_file.read_bytes(), yaml.CSafeLoader)["output"]
    with Path(output["executor_log_file"]).open("a", encoding="utf-8") as log, redirect_stdout(log):
        try:
            runpy.run_path(str(start_file))
        except SystemExit as stop:
            return stop.code if isinstance(stop.code, int) else 1
    return 0
