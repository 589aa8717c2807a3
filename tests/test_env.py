"""env.yaml and config.yaml: what a task is made of, and what is refused."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import TASK_ID, write_task

from common.contract import AnnotationFormat, Code, ObjectType, Verb
from common.errors import ConfigError, ObjectTypeError, YmirError
from common.task.env import Task, read_env, read_task


def task_of(env_path: Path) -> Task:
    return read_task(read_env(env_path))


def infer_with(root: Path, **config: Any) -> Task:
    return task_of(write_task(root, "infer", config=config))


def edit(path: Path, **changes: Any) -> None:
    """Change keys of a YAML file; `section__key` reaches into a section, None takes a key away."""
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    for name, value in changes.items():
        *sections, key = name.split("__")
        target = content[sections[0]] if sections else content
        target[key] = value
        if value is None:
            del target[key]
    path.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, allow_unicode=True), encoding="utf-8")


# env.yaml


def test_every_path_comes_from_env_yaml(tmp_path: Path) -> None:
    env = read_env(write_task(tmp_path, "mining"))
    assert env.input.candidate_index_file == tmp_path / "in/candidate-index.tsv"
    assert env.input.training_index_file is None  # '' means that the task has none
    assert env.output.monitor_file == tmp_path / "out/monitor.txt"
    assert env.output.training_result_file == tmp_path / "out/models/result.yaml"


@pytest.mark.parametrize(
    ("verbs", "expected"),
    [
        (["training"], {Verb.TRAINING}),
        (["mining"], {Verb.MINING}),
        (["infer"], {Verb.INFER}),
        (["mining", "infer"], {Verb.MINING, Verb.INFER}),
    ],
)
def test_a_task_is_a_training_or_mining_and_inference(tmp_path: Path, verbs: list[str], expected: set[Verb]) -> None:
    assert task_of(write_task(tmp_path, *verbs)).verbs == expected


@pytest.mark.parametrize(
    ("verbs", "words"),
    [
        ([], ["run_training", "run_mining", "run_infer", "at least one"]),
        (["training", "mining"], ["run_training", "run_mining", "task of its own"]),
        (["training", "infer"], ["run_training", "run_infer"]),
    ],
)
def test_other_combinations_are_refused(tmp_path: Path, verbs: list[str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        task_of(write_task(tmp_path, *verbs))
    assert all(word in str(raised.value) for word in words)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (TASK_ID, TASK_ID),
        ("default-infer-1668000000.25", "default-infer-1668000000.25"),  # inference on a single image
        (1668000000, "1668000000"),  # the verifier's, without quotes
    ],
)
def test_a_task_id_is_text(tmp_path: Path, value: Any, read: str) -> None:
    assert task_of(write_task(tmp_path, "infer", env={"task_id": value})).id == read


@pytest.mark.parametrize(
    ("version", "legacy"),
    [
        ("1.1.0", False),  # platform >= 2.0
        (1.1, False),  # without quotes
        ("1.0.0", False),
        (None, True),  # platform 1.1 has no such key
    ],
)
def test_a_platform_without_protocol_version_is_an_old_one(tmp_path: Path, version: Any, legacy: bool) -> None:
    assert task_of(write_task(tmp_path, "infer", env={"protocol_version": version})).legacy == legacy


def test_all_mistakes_of_env_yaml_are_told_at_once(tmp_path: Path) -> None:
    path = write_task(tmp_path, "infer")
    edit(path, task_id=None, input__config_file=None, output__monitor_file=None, run_infer="perhaps")
    with pytest.raises(ConfigError) as raised:
        read_env(path)
    for word in (str(path), "task_id", "input.config_file", "output.monitor_file", "run_infer", "perhaps"):
        assert word in str(raised.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["cannot be read", "No such file"]),  # missing
        (b"", ["expected a mapping"]),  # empty
        (b"- a\n- b\n", ["expected a mapping", "['a', 'b']"]),  # a list
        (b"task_id: [", ["not valid YAML"]),  # broken
        (b"task_id: 2022-13-45\n", ["not valid YAML", "month"]),  # a date that does not exist
        (b"task_id: !!python/object:os.system x\n", ["not valid YAML"]),
        (b"\xff\xfe\x00", ["cannot be read"]),  # no UTF-8
    ],
)
@pytest.mark.parametrize("name", ["env.yaml", "config.yaml"])
def test_an_unreadable_file_is_named(tmp_path: Path, name: str, content: bytes | None, words: list[str]) -> None:
    env_path = write_task(tmp_path, "infer")
    path = env_path.with_name(name)
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        task_of(env_path)
    assert all(word in str(raised.value) for word in [str(path), *words])


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_env(tmp_path)


# classes


@pytest.mark.parametrize(
    ("names", "read"),
    [
        (["dog", "黑 cat"], ("dog", "黑 cat")),  # blanks, Chinese
        ([1, 2.5], ("1", "2.5")),  # names that look like numbers
    ],
)
def test_the_order_of_the_names_is_the_class_index(tmp_path: Path, names: list[Any], read: tuple[str, ...]) -> None:
    assert infer_with(tmp_path, class_names=names).class_names == read


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["dog", "cat", "dog"], ["class_names", "dog", "twice"]),
        ("dog", ["class_names", "'dog'", "list"]),  # no list
        ([["dog"]], ["class_names", "list"]),
        ({"dog": 0}, ["class_names", "list"]),
        ([], ["class_names", "missing or empty"]),
        (None, ["class_names", "missing or empty"]),
    ],
)
@pytest.mark.parametrize("verb", ["training", "mining"])
def test_wrong_names_are_refused(tmp_path: Path, verb: str, names: Any, words: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        task_of(write_task(tmp_path, verb, config={"class_names": names}))
    assert all(word in str(raised.value) for word in words)


@pytest.mark.parametrize("names", [[], None])  # platform 2.5 sends none for an inference
def test_inference_needs_no_names(tmp_path: Path, names: Any) -> None:
    assert infer_with(tmp_path, class_names=names).class_names == ()


# devices


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("", ()),  # the CPU
        (None, ()),  # no such key
        ([], ()),
        ("0", (0,)),
        (0, (0,)),  # without quotes YAML reads a number; it is not "nothing"
        (3, (3,)),
        ("0,1", (0, 1)),
        ("2, 0 ,1", (2, 0, 1)),
        ([0, 1], (0, 1)),
        (["0", "1"], (0, 1)),
        ("[0,1]", (0, 1)),
    ],
)
def test_gpu_id_in_all_its_forms(tmp_path: Path, value: Any, ids: tuple[int, ...]) -> None:
    assert infer_with(tmp_path, gpu_id=value).gpu_ids == ids


@pytest.mark.parametrize("value", ["cuda:0", "-1", "0;1", "0.5", True, "all"])
def test_a_wrong_gpu_id_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(ConfigError) as raised:
        infer_with(tmp_path, gpu_id=value)
    assert all(word in str(raised.value) for word in ["gpu_id", repr(value), "commas", "CPU"])


# object type


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (2, ObjectType.DETECTION),
        (3, ObjectType.SEMANTIC),
        (4, ObjectType.INSTANCE),
        (50, ObjectType.MULTI_MODAL),
        ("4", ObjectType.INSTANCE),
        (None, ObjectType.DETECTION),  # a platform before 2.4 does not say
    ],
)
def test_object_type_is_read(tmp_path: Path, value: Any, read: ObjectType) -> None:
    assert infer_with(tmp_path, object_type=value).object_type == read


@pytest.mark.parametrize("value", [1, 99, "detection", [2]])
def test_an_unknown_object_type_is_refused_by_its_own_code(tmp_path: Path, value: Any) -> None:
    with pytest.raises(ObjectTypeError) as raised:
        infer_with(tmp_path, object_type=value)
    assert raised.value.code == Code.OBJECT_TYPE
    assert all(word in str(raised.value) for word in ["object_type", repr(value), "2 (detection)"])


SEVERAL = (ObjectType.DETECTION, ObjectType.SEMANTIC, ObjectType.INSTANCE)


def test_an_image_of_one_object_type_needs_not_be_told_it(tmp_path: Path) -> None:
    env = read_env(write_task(tmp_path, "infer", config={"object_type": None}))
    assert read_task(env, (ObjectType.SEMANTIC,)).object_type is ObjectType.SEMANTIC


@pytest.mark.parametrize(("value", "words"), [(None, "missing"), (99, "99"), ("semantic", "'semantic'")])
def test_an_image_of_several_object_types_is_told_which_it_may_be(tmp_path: Path, value: Any, words: str) -> None:
    env = read_env(write_task(tmp_path, "infer", config={"object_type": value}))
    with pytest.raises(ObjectTypeError) as raised:
        read_task(env, SEVERAL)
    assert f"object_type: {words}" in str(raised.value)
    assert "(one of 2 (detection), 3 (semantic), 4 (instance))" in str(raised.value)


# export format


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("ark:raw", AnnotationFormat.ARK),
        ("det-ark:raw", AnnotationFormat.ARK),
        ("VOC:RAW", AnnotationFormat.VOC),  # case does not matter
        ("det-voc:raw", AnnotationFormat.VOC),
        ("seg-coco:raw", AnnotationFormat.COCO),
        ("coco:raw", AnnotationFormat.COCO),
        ("none:raw", AnnotationFormat.NONE),
        ("ls_json:raw", AnnotationFormat.NONE),  # a word that the platform does not know exports nothing
        (None, AnnotationFormat.VOC),  # the platform's default
        ("", AnnotationFormat.VOC),
    ],
)
def test_export_format_is_what_the_platform_makes_of_it(tmp_path: Path, value: Any, read: AnnotationFormat) -> None:
    assert infer_with(tmp_path, export_format=value).annotation_format == read


@pytest.mark.parametrize("value", ["ark", "ark:lmdb", "ark-raw", 5])
def test_an_export_format_that_the_platform_refuses_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(ConfigError) as raised:
        infer_with(tmp_path, export_format=value)
    assert all(word in str(raised.value) for word in ["export_format", str(value), ":raw"])


def test_all_mistakes_of_config_yaml_are_told_at_once(tmp_path: Path) -> None:
    wrong = {"class_names": ["a", "a"], "gpu_id": "cuda", "object_type": 99, "export_format": "ark"}
    with pytest.raises(YmirError) as raised:
        task_of(write_task(tmp_path, "mining", config=wrong))
    assert all(word in str(raised.value) for word in ["4 problems", *wrong])


def test_a_key_that_is_no_text_does_no_harm(tmp_path: Path) -> None:
    path = write_task(tmp_path, "infer")
    with (tmp_path / "in/config.yaml").open("a", encoding="utf-8") as file:
        file.write("5: 1\n")
    task = task_of(path)
    assert task.config["5"] == 1
    assert task.fingerprint


# model files


def test_the_given_files_are_taken_in_their_order(tmp_path: Path) -> None:
    path = write_task(tmp_path, "infer")
    files = [tmp_path / "in/models/best" / name for name in ("best.pt", "best.onnx", "a.yaml")]
    for file in files:
        file.write_bytes(b"x")
    edit(tmp_path / "in/config.yaml", model_params_path=[*map(str, files), str(tmp_path / "in/models/best/absent")])
    assert task_of(path).model_files == tuple(files)


@pytest.mark.parametrize(
    ("there", "listed", "found"),
    [
        (["best.pt"], ["default_best_stage/best.pt"], ["best.pt"]),  # an old package: unpacked to the root
        (["best.pt", "last.pt"], ["stage/best.pt"], ["best.pt"]),  # and nothing else of the root
        (["best/best.pt"], ["best.pt"], ["best/best.pt"]),  # named at the root, lies in a stage
        (["best/best.pt", "result.yaml"], ["result.yaml"], ["result.yaml", "best/best.pt"]),  # the verifier
        (["s/b.pth", "a/b.pth"], ["gone.pth"], ["a/b.pth", "s/b.pth"]),  # any below the folder, in a fixed order
        (["best/best.pt"], [], []),  # not asked for
        ([], ["best/best.pt"], []),  # nothing there
    ],
)
def test_missing_files_are_looked_up_by_name_and_then_anywhere(
    tmp_path: Path, there: list[str], listed: list[str], found: list[str]
) -> None:
    path = write_task(tmp_path, "infer", model=False)
    models = tmp_path / "in/models"
    for name in there:
        (models / name).parent.mkdir(exist_ok=True)
        (models / name).write_bytes(b"x")
    edit(tmp_path / "in/config.yaml", model_params_path=[str(models / name) for name in listed])
    assert task_of(path).model_files == tuple(models / name for name in found)


def test_a_lone_model_file_needs_no_list(tmp_path: Path) -> None:
    path = write_task(tmp_path, "infer", config={"model_params_path": str(tmp_path / "in/models/best/best.pt")})
    assert [file.name for file in task_of(path).model_files] == ["best.pt"]


def test_a_training_starts_from_pretrained_model_params_only(tmp_path: Path) -> None:
    path = write_task(tmp_path, "training")
    assert [file.name for file in task_of(path).model_files] == ["best.pt"]
    edit(tmp_path / "in/config.yaml", pretrained_model_params=None, model_params_path=["best.pt"])
    assert task_of(path).model_files == ()


# fingerprint


def test_the_fingerprint_stays_when_nothing_changes(tmp_path: Path) -> None:
    path = write_task(tmp_path, "infer", images=[tmp_path / "a.png"])
    before = task_of(path)
    assert task_of(path).fingerprint == before.fingerprint
    (tmp_path / "out/monitor.txt").write_text("progress", encoding="utf-8")
    edit(path, manifest_file="/elsewhere")
    assert task_of(path).fingerprint == before.fingerprint
    assert before.scratch == tmp_path / "out/.ymir" / before.fingerprint


def _other_parameter(root: Path) -> None:
    edit(root / "in/config.yaml", conf_thres=0.5)


def _other_index(root: Path) -> None:
    (root / "in/candidate-index.tsv").write_text("/another.png\n", encoding="utf-8")


def _other_model(root: Path) -> None:
    (root / "in/models/best/best.pt").write_bytes(b"other weights")


def _model_written_again(root: Path) -> None:
    os.utime(root / "in/models/best/best.pt", ns=(0, 0))


def _other_task(root: Path) -> None:
    edit(root / "in/env.yaml", task_id="t2")


def _other_verb(root: Path) -> None:
    edit(root / "in/env.yaml", run_mining=True)


@pytest.mark.parametrize(
    "change", [_other_parameter, _other_index, _other_model, _model_written_again, _other_task, _other_verb]
)
def test_the_fingerprint_changes_with_all_that_the_outcome_depends_on(tmp_path: Path, change: Any) -> None:
    path = write_task(tmp_path, "infer", images=[tmp_path / "a.png"])
    before = task_of(path).fingerprint
    change(tmp_path)
    assert task_of(path).fingerprint != before
