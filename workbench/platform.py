"""The platform's side of a task: writes the tree that an image finds below `/in`, for any root folder.

The names and keys are spelled out here a second time, apart from `common`, on purpose: the images are tested on what
this module writes, so a wrong key in `common` cannot hide.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from common.contract import AnnotationFormat, ObjectType
from workbench.asset import Asset
from workbench.export import RADIAN, annotation_format, write_annotations

TASK_ID: Final = "t0000001000002a1b2c31700000000"
PROTOCOL_VERSION: Final = "1.1.0"


def write_training_task(
    root: Path,
    train: Sequence[Asset],
    val: Sequence[Asset],
    class_names: Sequence[str],
    parameters: Mapping[str, object],
    *,
    pretrained: Sequence[Path] = (),
    stage: str = "best",
    gpu_id: str = "",
    task_id: str = TASK_ID,
    object_type: ObjectType = ObjectType.DETECTION,
    angle_unit: float = RADIAN,
    cache: Path | None = None,
) -> Path:
    """Writes a training task below `root`.

    Args:
        root: gets the folders `in` and `out`.
        train: the training set. No image may be in `val` too.
        val: the validation set.
        class_names: the classes in the order of their indices.
        parameters: what the web form would send: the values of the training template. `export_format` chooses the form
            of the annotations; `none:raw` leaves the index files empty, as the platform does.
        pretrained: model files to start from; none leaves the key `pretrained_model_params` out.
        stage: the stage that `pretrained` comes from.
        gpu_id: devices as the image sees them, `0,1`; empty = CPU.
        task_id: first column of monitor.txt.
        object_type: what the project labels.
        angle_unit: radians that an angle of 1 in an annotation file stands for: 1, or pi.
        cache: a folder of image files that several tasks share; `/in/assets` becomes a link to it, as on the platform.

    Returns:
        The path of env.yaml.
    """
    root = _make_tree(root, cache)
    train_assets, val_assets = (_write_assets(root, samples) for samples in (train, val))
    _write_training_index(root, train_assets, val_assets, class_names, parameters, angle_unit)
    models = _write_models(root, pretrained, stage, class_names, parameters, object_type)
    config = dict(parameters) | _reserved(task_id, class_names, gpu_id, object_type)
    if models:
        config["pretrained_model_params"] = models
    _write_yaml(root / "in" / "config.yaml", config)
    (root / "out" / "tensorboard" / "executor.log").symlink_to("/nowhere/in/the/container/executor.log")
    indices = {"training": "train-index.tsv", "val": "val-index.tsv"}
    return _write_env(root, task_id, {"run_training": True}, indices)


def write_candidate_task(
    root: Path,
    images: Sequence[Asset],
    model_files: Sequence[Path],
    class_names: Sequence[str],
    parameters: Mapping[str, object],
    *,
    run_mining: bool,
    run_infer: bool,
    stage: str = "best",
    gpu_id: str = "",
    task_id: str = TASK_ID,
    object_type: ObjectType = ObjectType.DETECTION,
    cache: Path | None = None,
) -> Path:
    """Writes a mining task, an inference task, or both in one, below `root`.

    Args:
        root: gets the folders `in` and `out`.
        images: the candidates, in the order of the index. Their objects are not written anywhere.
        model_files: every file of one stage of the trained model.
        class_names: the classes that the model was trained on.
        parameters: what the web form would send: the values of the mining template if `run_mining`, else of infer.
        run_mining: whether to score the images.
        run_infer: whether to predict boxes.
        stage: the stage that `model_files` belong to.
        gpu_id: devices as the image sees them, `0,1`; empty = CPU.
        task_id: first column of monitor.txt.
        object_type: what the project labels.
        cache: a folder of image files that several tasks share; `/in/assets` becomes a link to it, as on the platform.

    Returns:
        The path of env.yaml.
    """
    root = _make_tree(root, cache)
    assets = _write_assets(root, images)
    _write_lines(root / "in" / "candidate-index.tsv", assets)
    _write_lines(root / "in" / "candidate-src-index.tsv", (f"/path/on/the/host/{sample.asset}" for sample in images))
    models = _write_models(root, model_files, stage, class_names, parameters, object_type)
    verbs = {"run_mining": run_mining, "run_infer": run_infer}
    config = dict(parameters) | _reserved(task_id, class_names, gpu_id, object_type) | verbs
    _write_yaml(root / "in" / "config.yaml", config | {"model_params_path": models})
    return _write_env(root, task_id, verbs, {"candidate": "candidate-index.tsv"})


def _make_tree(root: Path, cache: Path | None) -> Path:
    """The folders that always exist before a task starts. Returns `root` as an absolute path."""
    for folder in ("in/annotations", "in/predictions", "in/models", "out/models", "out/tensorboard"):
        (root / folder).mkdir(parents=True)
    if cache is None:
        (root / "in" / "assets").mkdir()
    else:
        cache.mkdir(parents=True, exist_ok=True)
        (root / "in" / "assets").symlink_to(cache.resolve())
    return root.resolve()


def _write_assets(root: Path, samples: Iterable[Asset]) -> dict[Path, Asset]:
    """Writes the image files, one after the other, unless they are there; the samples by their absolute paths."""
    assets = {}
    for sample in samples:
        path = root / "in" / "assets" / sample.asset
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(path.name + ".part")
            sample.write(partial)
            partial.replace(path)
        assets[path] = sample
    return assets


def _write_training_index(
    root: Path,
    train: Mapping[Path, Asset],
    val: Mapping[Path, Asset],
    class_names: Sequence[str],
    parameters: Mapping[str, object],
    angle_unit: float,
) -> None:
    """Writes the annotations, both index files, and all the further index files that the platform leaves about."""
    wanted = annotation_format(str(parameters.get("export_format") or ""))
    folder = root / "in"
    both = {**train, **val}
    truth: dict[Path, Path] = {}
    guesses: dict[Path, Path] = {}
    if wanted is not AnnotationFormat.NONE:
        known = sorted({class_names[index] for sample in train.values() for index in sample.classes.tolist()})
        nothing = {path: sample.without_objects() for path, sample in both.items()}
        truth = write_annotations(folder / "annotations", both, class_names, known, wanted, angle_unit)
        guesses = write_annotations(folder / "predictions", nothing, class_names, [], wanted)
    for name, assets in (("train", train), ("val", val), ("test", {})):
        _write_pairs(folder / f"{name}-index.tsv", assets, truth)
        _write_pairs(folder / f"pred-{name}-index.tsv", assets, guesses)
    _write_lines(folder / "idx-assets.tsv", both)
    _write_lines(folder / "idx-gt.tsv", truth.values())
    _write_lines(folder / "idx-pred.tsv", guesses.values())


def _write_models(
    root: Path,
    files: Sequence[Path],
    stage: str,
    class_names: Sequence[str],
    parameters: Mapping[str, object],
    object_type: ObjectType,
) -> list[str]:
    """Unpacks one stage of a model: its files in a folder of their own, and what the platform knows about it."""
    if not files:
        return []
    folder = root / "in" / "models" / stage
    folder.mkdir()
    for file in files:
        shutil.copyfile(file, folder / file.name)
    names = [file.name for file in files]
    info = {
        "executor_config": dict(parameters) | {"class_names": list(class_names)},
        "task_context": {"object_type": int(object_type)},
        "stages": {stage: {"stage_name": stage, "files": names, "timestamp": 1700000000, "mAP": 0.5}},
        "best_stage_name": stage,
        "object_type": int(object_type),
        "package_version": "2.0.0",
    }
    _write_yaml(root / "in" / "models" / "ymir-info.yaml", info)
    return [str(folder / name) for name in names]


def _reserved(task_id: str, class_names: Sequence[str], gpu_id: str, object_type: ObjectType) -> dict[str, object]:
    """The keys of config.yaml that the platform writes for every task."""
    return {
        "task_id": task_id,
        "class_names": list(class_names),
        "gpu_count": len(gpu_id.split(",")) if gpu_id else 0,
        "gpu_id": gpu_id,
        "object_type": int(object_type),
    }


def _write_env(root: Path, task_id: str, verbs: Mapping[str, bool], indices: Mapping[str, str]) -> Path:
    """Writes env.yaml; `indices` names the index file of `training`, `val` and `candidate`."""
    source, target = root / "in", root / "out"
    document = {
        "protocol_version": PROTOCOL_VERSION,
        "task_id": task_id,
        **{key: verbs.get(key, False) for key in ("run_training", "run_mining", "run_infer")},
        "manifest_file": "/img-man/manifest.yaml",
        "input": {
            "root_dir": str(source),
            "assets_dir": str(source / "assets"),
            "annotations_dir": str(source / "annotations"),
            "models_dir": str(source / "models"),
            "config_file": str(source / "config.yaml"),
            **{
                f"{key}_index_file": str(source / indices[key]) if key in indices else ""
                for key in ("training", "val", "candidate")
            },
        },
        "output": {
            "root_dir": str(target),
            "models_dir": str(target / "models"),
            "tensorboard_dir": str(target / "tensorboard"),
            "training_result_file": str(target / "models" / "result.yaml"),
            "mining_result_file": str(target / "result.tsv"),
            "infer_result_file": str(target / "infer-result.json"),
            "monitor_file": str(target / "monitor.txt"),
            "executor_log_file": str(target / "ymir-executor-out.log"),
        },
    }
    _write_yaml(source / "env.yaml", document)
    return source / "env.yaml"


def _write_pairs(file: Path, assets: Iterable[Path], annotations: Mapping[Path, Path]) -> None:
    _write_lines(file, (f"{path}\t{annotations[path]}" for path in assets if path in annotations))


def _write_lines(file: Path, lines: Iterable[object]) -> None:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _write_yaml(file: Path, document: Mapping[str, object]) -> None:
    file.write_text(yaml.dump(dict(document), allow_unicode=True), encoding="utf-8")
