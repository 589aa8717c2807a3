"""The check of `img-man`: silent on what the platform registers, and each trap is named with the way out."""

import pytest

from workbench.check.img_man import check_img_man
from workbench.images import image_folders

TEMPLATES = {
    "training-template.yaml": "export_format: ark:raw\nshm_size: 128G\nepochs: 10\nlr: 0.001\nfp16: false\nopts: ''\n",
    "mining-template.yaml": "shm_size: 16G\nmining_algorithm: aldd\n",
    "infer-template.yaml": "conf_thres: 0.25\n",
}
SINGLE = {"manifest.yaml": "object_type: 2\nenable_livecode: false\nis_official: false\n", **TEMPLATES}
MASKS = TEMPLATES | {"training-template.yaml": "export_format: seg-coco:raw\nepochs: 10\n"}
SEVERAL = {
    "manifest.yaml": "object_type: [2, 4]\n",
    **{f"det/{name}": text for name, text in TEMPLATES.items()},
    **{f"instance-seg/{name}": text for name, text in MASKS.items()},
}
GONE = None


def folder(root, files):
    """A folder img-man without the files that are None."""
    for name, content in files.items():
        if content is not GONE:
            file = root / "img-man" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
    (root / "img-man").mkdir(exist_ok=True)
    return root / "img-man"


def found(path):
    return [(str(each.file.relative_to(path)), each.what, each.advice) for each in check_img_man(path)]


@pytest.mark.parametrize("files", [SINGLE, SEVERAL, TEMPLATES], ids=["one type", "several", "no manifest"])
def test_what_the_platform_registers_has_no_finding(tmp_path, files):
    assert found(folder(tmp_path, files)) == []


@pytest.mark.parametrize("image", image_folders(), ids=lambda image: image.name)
def test_the_images_of_this_repository_have_no_finding(image):
    assert check_img_man(image / "img-man") == []


MANIFESTS = [
    ("object_type: '2'\n", "object_type is the text '2'", "Write a number: 2 (detection)"),  # 130401
    ("object_type: detection\n", "object_type is the text 'detection'", "Write a number"),
    ("object_type: 7\n", "object_type is 7, which no project has", "Write one of 2 (detection)"),
    ("object_type: true\n", "object_type is True", "Write one of"),
    ("object_type: 2.0\n", "object_type is 2.0", "Write one of"),
    ("object_type:\n", "object_type is None", "Write one of"),
    ("object_type: []\n", "object_type is an empty list", "Write at least one of"),
    ("object_type: {a: 2}\n", "object_type is {'a': 2}", "Write one of"),
    ("object_type: 2\nenable_livecode: 'no'\n", "enable_livecode is 'no'", "Write true or false"),
    ("object_type: 2\nis_official: 1\n", "is_official is 1", "Write true or false"),
    ("object_type: 2\nis_official: yes\n", "is_official: yes is a boolean in YAML 1.1", "Write true or false"),
    ("object_types: 2\n", "object_types is not read", "Write object_type"),
    ("author: me\n", "author is not read", "Leave it out"),
    ("object_type: 2\nobject_type: 2\n", "key 'object_type' occurs twice", "Write it once"),
    ("- 2\n", "holds list, not a mapping", "Write object_type: 2"),
    ("# object_type: 2\n", "is empty", "Write object_type: 2"),
    ("object_type: [2\n", "is not plain YAML", "Write object_type: 2"),
    (b"object_type: 2 # \xff\n", "not UTF-8", "Write it in UTF-8"),
]


@pytest.mark.parametrize(("manifest", "what", "advice"), MANIFESTS)
def test_a_breach_in_the_manifest_is_found(tmp_path, manifest, what, advice):
    (file, found_what, found_advice), *_ = found(folder(tmp_path, SINGLE | {"manifest.yaml": manifest}))
    assert (file, found_what.startswith(what), found_advice.startswith(advice)) == ("manifest.yaml", True, True)


@pytest.mark.parametrize(
    ("number", "what"),
    [
        ("[2, 4, 5]", "object_type has 5 in its list"),  # 130605
        ("[2, '4', 4]", "object_type has '4' in its list"),
        ("[2, 4, 4]", "object_type is [2, 4, 4], which has a number twice"),
    ],
)
def test_a_breach_in_a_list_of_types_is_found(tmp_path, number, what):
    [(file, found_what, _)] = found(folder(tmp_path, SEVERAL | {"manifest.yaml": f"object_type: {number}\n"}))
    assert (file, found_what.startswith(what)) == ("manifest.yaml", True)


TRAINING = "export_format: ark:raw\n"
TEMPLATE = [
    ("lr: 1e-3\n", "lr: 1e-3 is a text in YAML 1.1, not a number", "Write 0.001"),
    ("lr: 1e5\n", "lr: 1e5 is a text in YAML 1.1", "Write 100000"),
    ("fp16: no\n", "fp16: no is a boolean in YAML 1.1", "Write true or false. Write 'no' in quotes"),
    ("fp16: On\n", "fp16: On is a boolean", "Write true or false"),
    ("ratio: 1:30\n", "ratio: 1:30 is a base-60 number", "Write '1:30' in quotes"),
    ("seed: 010\n", "seed: 010 is an octal number", "Write it without the 0 in front"),
    ("epochs: 1_000\n", "epochs: 1_000 is a number in YAML 1.1, without its underscores", "Write '1_000'"),
    ("clip: .inf\n", "clip: .inf cannot be written in JSON", "Write a finite number"),
    ("clip: .nan\n", "clip: .nan cannot be written in JSON", "Write a finite number"),
    ("version: 2024-01-31\n", "version: 2024-01-31 is a date", "Write '2024-01-31' in quotes"),  # 130605
    ("when: 2024-01-31 10:00:00\n", "when: 2024-01-31 10:00:00 is a date", "Write '2024"),
    ("when: 2024-13-31\n", "is not plain YAML", "Write keys and values"),
    ("on: 3\n", "key 'on' is not text but bool", "Write 'on' in quotes"),
    ("1: 3\n", "key '1' is not text but int", "Write '1' in quotes"),
    ("lr: 1\nlr: 2\n", "key 'lr' occurs twice", "Write it once"),
    ("a: {b: 1}\n", "a holds a mapping", "Write its values on the first level"),
    ("a: [1, 2]\n", "a holds a list", "Write a text with commas"),
    ("a:\n", "a has no value", "Write ''"),
    ("a: !!binary aGk=\n", "a holds bytes, which JSON cannot hold", "Write a text"),
    ("a: !!set {x}\n", "a holds set, which JSON cannot hold", "Write a text"),
    ("a: !!python/tuple [1]\n", "is not plain YAML", "Write keys and values"),
    ("a: *b\n", "is not plain YAML", "Write keys and values"),
    ("\ta: 1\n", "is not plain YAML", "Write keys and values"),
    ("---\na: 1\n", "is not plain YAML", "Write keys and values"),  # two documents
    ("gpu_id: '0'\n", "gpu_id is written by the platform", "Leave it out"),
    ("task_id: t\n", "task_id is written by the platform", "Leave it out"),
    ("class_names: cat\n", "class_names is written by the platform", "Leave it out"),
    ("pretrained_model_params: ''\n", "pretrained_model_params is written by the platform", "Leave it out"),
    ("shm_size: 16\n", "shm_size is 16", "Write what docker takes"),
    ("shm_size: 16 GB\n", "shm_size is '16 GB'", "Write what docker takes"),
]


@pytest.mark.parametrize(("line", "what", "advice"), TEMPLATE)
def test_a_trap_in_a_template_is_found(tmp_path, line, what, advice):
    changed = SINGLE | {"training-template.yaml": TRAINING + line}
    [(file, found_what, found_advice)] = found(folder(tmp_path, changed))
    assert (file, found_what[: len(what)]) == ("training-template.yaml", what)
    assert found_advice.startswith(advice)


EXPORT = [
    ("epochs: 1\n", "export_format is missing"),  # the platform exports voc:raw
    ("exportformat: ark:raw\n", "export_format is missing; is 'exportformat' meant for it?"),
    ("export_format: ''\n", "export_format is ''"),
    ("export_format: ark\n", "export_format is 'ark', without a colon"),  # 169999
    ("export_format: ark:lmdb\n", "export_format is 'ark:lmdb': the platform exports images as raw only"),
    ("export_format: ark:row\n", "export_format is 'ark:row': the platform exports images as raw only"),
    ("export_format: yolo:raw\n", "export_format is 'yolo:raw': the platform exports no annotations"),
    ("export_format: none:raw\n", "export_format is 'none:raw': the platform exports no annotations"),
    ("export_format: ls_json:raw\n", "export_format is 'ls_json:raw': the platform exports no annotations"),
    ("export_format: coco:raw\n", "export_format is 'coco:raw', a value that platforms before 2.5 do not know"),
]


@pytest.mark.parametrize(("line", "what"), EXPORT)
def test_a_wrong_export_format_is_found(tmp_path, line, what):
    [(file, found_what, advice)] = found(folder(tmp_path, SINGLE | {"training-template.yaml": line}))
    assert (file, found_what[: len(what)]) == ("training-template.yaml", what)
    assert "coco:raw" in advice or "ark:raw" in advice


def test_a_project_of_masks_needs_a_format_with_masks(tmp_path):
    changed = SEVERAL | {"instance-seg/training-template.yaml": "export_format: ark:raw\n"}
    assert found(folder(tmp_path, changed)) == [
        (
            "instance-seg/training-template.yaml",
            "export_format is 'ark:raw', which has no masks",
            "Write seg-coco:raw",
        )
    ]


TRAINING_FILE, MINING_FILE = "training-template.yaml", "mining-template.yaml"
PLACES = [
    (SINGLE, {MINING_FILE: GONE}, MINING_FILE, "so mining is not offered for 2 (detection)", "Write it"),
    (
        SINGLE,
        {MINING_FILE: GONE, "mining-template.yml": "a: 1"},
        MINING_FILE,
        "no such file",
        "Rename mining-template.yml",
    ),
    (SINGLE, {MINING_FILE: GONE, f"det/{MINING_FILE}": "a: 1"}, MINING_FILE, "no such file", f"Move det/{MINING_FILE}"),
    (SINGLE, {MINING_FILE: "# nothing\n"}, MINING_FILE, "has no key", "Write at least one key"),
    (SINGLE, {MINING_FILE: "- a\n"}, MINING_FILE, "holds list", "Write keys and values"),
    (SINGLE, {MINING_FILE: "just words\n"}, MINING_FILE, "holds str", "Write keys and values"),
    (SINGLE, {MINING_FILE: b"a: \xff\n"}, MINING_FILE, "not UTF-8", "Write it in UTF-8"),
    (SEVERAL, {f"det/{TRAINING_FILE}": GONE}, f"det/{TRAINING_FILE}", "training is not offered", "Write it"),
    (
        SEVERAL,
        {f"det/{MINING_FILE}": GONE, MINING_FILE: "a: 1"},
        f"det/{MINING_FILE}",
        "no such file",
        f"Move {MINING_FILE} there: with a list of object types only their folders are searched",
    ),
]


@pytest.mark.parametrize(("files", "changes", "file", "what", "advice"), PLACES)
def test_a_template_that_the_platform_does_not_find_is_found(tmp_path, files, changes, file, what, advice):
    [(found_file, found_what, found_advice)] = found(folder(tmp_path, files | changes))
    assert (found_file, what in found_what, found_advice[: len(advice)]) == (file, True, advice)


def test_a_type_whose_folder_is_missing_has_no_task(tmp_path):
    files = {name: text for name, text in SEVERAL.items() if not name.startswith("instance-seg")}
    assert [file for file, *_ in found(folder(tmp_path, files))] == [f"instance-seg/{name}" for name in TEMPLATES]


def test_an_image_without_any_template_cannot_be_added(tmp_path):
    whats = [what for _, what, _ in found(folder(tmp_path, {"manifest.yaml": SINGLE["manifest.yaml"]}))]
    assert whats[-1] == "no task has a template, so the image cannot be added (130401)"


def test_a_manifest_of_another_ending_is_not_read(tmp_path):
    files = {**TEMPLATES, "manifest.yml": "object_type: 2\n"}
    assert found(folder(tmp_path, files)) == [("manifest.yml", "is not read", "Name it manifest.yaml")]


def test_what_is_quoted_is_what_it_says(tmp_path):
    values = {"a": "no", "b": "1e-3", "c": "2024-01-31", "d": "1:30", "e": "010", "f": ".inf"}
    text = TRAINING + "".join(f"{key}: '{value}'\n" for key, value in values.items())
    assert found(folder(tmp_path, SINGLE | {TRAINING_FILE: text})) == []
