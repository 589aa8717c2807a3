"""What is light stays light: `common` and the parent process load no framework."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import common

READER = tuple(f"common.weights.{name}" for name in ("pickles", "unpickler", "allowed", "rebuild", "shapes"))
ADAPTERS = ("common.run.device", "common.yolo.", "common.mmlab.", "common.mmseg.", *READER)
"""What may load a framework when it is imported. Only a worker imports it..."""

LIGHT = {
    *(f"common.yolo.{name}" for name in ("params", "options", "names")),
    *(
        f"common.mmlab.options.{name}"
        for name in ("params", "rotated", "image", "command_line", "catalogue", "allowed_keys", "literals")
    ),
    "common.mmseg.params",
}
"""...but these, which the parent needs to check the parameters."""

FRAMEWORKS = {"torch", "torchvision", "ultralytics", "mmengine", "mmcv", "mmdet", "mmyolo", "mmseg", "tensorboardX"}
ENGINE = sorted(
    module.name
    for module in pkgutil.walk_packages(common.__path__, "common.")
    if module.name in LIGHT or not module.name.startswith(ADAPTERS)
)


def loaded(*modules: str) -> set[str]:
    """Names of all that is imported when `modules` are, in a fresh process."""
    code = f"import sys; {'; '.join(f'import {name}' for name in modules)}; print(*sys.modules)"
    arguments = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=Path(common.__path__[0]).parent)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("modules", "never"),
    [
        (["common"], {"torch", "ultralytics", "numpy", "yaml"}),
        (["common.run.main", *sorted(LIGHT)], FRAMEWORKS | {"numpy", "cv2", "PIL"}),  # the parent starts at once
        (ENGINE, FRAMEWORKS | {"shapely"}),  # which only images of boxes have
    ],
)
def test_importing_loads_no_framework(modules: list[str], never: set[str]) -> None:
    assert loaded(*modules) & never == set()


def test_names_of_models_and_of_configurations_are_known_without_the_frameworks() -> None:
    code = """
import sys
from common.mmlab.options.catalogue import config_files, find_config
from common.yolo.names import check_detector
from common.yolo.options import parse_options

check_detector("yolov5n6")
parse_options("--cos-lr")
find_config("yolox_s_8xb8-300e_coco", "mmdet", {})
config_files("mmyolo")
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & FRAMEWORKS == set()


def test_the_whole_engine_is_looked_at() -> None:
    assert {"common.run.image", "common.loop.loop", "common.run.worker", "common.mining.registry", *LIGHT} <= set(
        ENGINE
    )


PREDICTORS = ("yolo/predictor.py", "mmlab/model/predictor.py", "mmseg/predictor.py")


@pytest.mark.parametrize("file", PREDICTORS)
def test_a_predictor_knows_neither_tasks_nor_parameters_nor_mining(file: str) -> None:
    """Its `load_predictor`, beside it or above, does."""
    tree = ast.parse((Path(common.__path__[0]) / file).read_text(encoding="utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    rooms = ("common.task", "common.mining", "common.run", "common.loop", "common.mmlab.options")
    assert not [name for name in imported if name.startswith(rooms) or name.endswith(".params")]
