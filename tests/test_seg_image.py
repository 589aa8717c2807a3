"""seg-all-in-one-tmi as the platform sees it: one image, three object types."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import write_images, write_task

from common.contract import Code, ObjectType
from common.errors import ConfigError, ObjectTypeError, YmirError
from common.run.parent import check
from common.task.env import read_env
from workbench.images import REPOSITORY, image

FOLDER = REPOSITORY / "seg-all-in-one-tmi"
ALLOWED = "(one of 2 (detection), 3 (semantic), 4 (instance))"


def checked(root: Path, *verbs: str, **config: Any) -> Any:
    """The task and its parameters, after all checks of the parent."""
    env = read_env(write_task(root, *verbs, images=write_images(root / "in/assets", 1), config=config))
    with image(FOLDER) as executor:
        return check(executor, env)


def test_the_manifest_has_a_list_and_each_type_a_folder_of_its_own() -> None:
    manifest = yaml.safe_load((FOLDER / "img-man/manifest.yaml").read_text(encoding="utf-8"))
    assert manifest["object_type"] == [2, 3, 4]
    written = {path.relative_to(FOLDER / "img-man").as_posix() for path in FOLDER.glob("img-man/**/*.yaml")}
    templates = {f"{place}/{verb}-template.yaml" for place in ("det", "semantic-seg", "instance-seg")
                 for verb in ("training", "mining", "infer")}  # fmt: skip
    assert written == {"manifest.yaml", *templates}  # the platform never looks into the root for these


@pytest.mark.parametrize(
    ("value", "verb", "parameters"),
    [
        (2, "training", "DetectionTraining"),
        (3, "training", "Training"),
        (4, "training", "InstanceTraining"),
        (2, "infer", "DetectionInfer"),
        (3, "infer", "SemanticInfer"),
        (4, "infer", "YoloInfer"),
    ],
)
def test_the_object_type_says_whose_parameters_a_task_has(
    tmp_path: Path, value: int, verb: str, parameters: str
) -> None:
    task, parsed, _ = checked(tmp_path, verb, object_type=value, export_format="seg-coco:raw")
    assert task.object_type is ObjectType(value)
    assert type(parsed).__name__ == parameters


@pytest.mark.parametrize(
    ("value", "verb"), [(None, "training"), (1, "mining"), (50, "infer"), (99, "training"), ("semantic", "mining")]
)
def test_another_object_type_or_none_is_refused_with_those_that_are_allowed(
    tmp_path: Path, value: Any, verb: str
) -> None:
    """Nothing else is said: whose parameters they would be is not known."""
    with pytest.raises(ObjectTypeError) as raised:
        checked(tmp_path, verb, object_type=value, export_format="seg-coco:raw", mode="slide", max_iter=5)
    assert raised.value.code == Code.OBJECT_TYPE == 300005
    assert str(raised.value).startswith("object_type: ")
    assert ALLOWED in str(raised.value)
    assert ("missing" if value is None else repr(value)) in str(raised.value)
    assert "max_iter:" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "given", "named"),
    [(3, "ark:raw", "'ark:raw'"), (4, "ark:raw", "'ark:raw'"), (3, None, "'voc:raw'"), (4, "none:raw", "'none:raw'")],
)
def test_a_training_on_masks_needs_a_format_that_has_them(
    tmp_path: Path, value: int, given: str | None, named: str
) -> None:
    """Without a format the platform exports VOC."""
    with pytest.raises(ConfigError, match=f"export_format: {named} exports no masks \\(one of seg-coco:raw\\)"):
        checked(tmp_path, "training", object_type=value, export_format=given)


def test_mistakes_besides_the_object_type_are_told_too(tmp_path: Path) -> None:
    with pytest.raises(YmirError) as raised:
        checked(tmp_path, "infer", object_type=None, gpu_id="cuda")
    assert all(word in str(raised.value) for word in ["2 problems", "gpu_id", ALLOWED])


def test_the_form_of_one_object_type_does_not_fit_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'yolov5s' is not a known model of instance segmentation"):
        checked(tmp_path, "training", object_type=4, export_format="seg-coco:raw", model="yolov5s")


def test_the_platform_reads_the_reason_in_the_monitor_file(tmp_path: Path) -> None:
    env = write_task(tmp_path, "infer", images=write_images(tmp_path / "in/assets", 1), config={"object_type": 50})
    done = subprocess.run(
        [sys.executable, FOLDER / "start.py"],
        env=os.environ | {"DEFAULT_ENV_FILE_PATH": str(env)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ObjectTypeError.exit_status
    *_, state, code, message = (tmp_path / "out/monitor.txt").read_text(encoding="utf-8").split("\n")[0].split("\t")
    assert (state, code) == ("4", "300005")
    assert message == f"object_type: 50 is not supported by seg-all-in-one-tmi {ALLOWED}"
    assert message in done.stdout.splitlines()[-1]


def test_no_table_of_parameters_loads_a_framework() -> None:
    """The parent checks them, and must start at once."""
    code = "import sys; from params import DETECTION, INSTANCE, SEMANTIC; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | {"PYTHONPATH": f"{FOLDER}{os.pathsep}{REPOSITORY}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"torch", "ultralytics", "mmengine", "mmseg", "numpy", "cv2"} & set(done.stdout.split())
