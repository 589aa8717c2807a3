"""The demo, with an image that needs no torch."""

import io
import re
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from fakes import run_here
from rich.console import Console
from typer.testing import CliRunner

from common.contract import ObjectType, Verb
from workbench import demo
from workbench.__main__ import app
from workbench.check import Finding
from workbench.form import filled_form, template_file
from workbench.images import REPOSITORY
from workbench.masked import MaskedSample, sample_of
from workbench.plan import DEFAULT, PLANS, find_plan

each_plan = pytest.mark.parametrize("whole", PLANS, ids=lambda plan: plan.name)


@pytest.fixture(params=PLANS[:-1], ids=lambda plan: plan.name)  # the last differs from the first in the image only
def plan(request, tmp_path):
    """The plan of an image with few images, for one whose forms have just what the demo fills in."""
    plan = request.param
    folder = tmp_path / "image"
    (folder / "img-man").mkdir(parents=True)
    shutil.copyfile(Path(__file__).parent / "fake_start.py", folder / "start.py")
    manifest = {"object_type": int(plan.object_type)}
    (folder / "img-man" / "manifest.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    masks = {} if plan.object_type is ObjectType.DETECTION else {"export_format": "seg-coco:raw"}
    for verb, values in (("training", {**masks, **plan.training}), ("mining", plan.mining)):
        (folder / "img-man" / f"{verb}-template.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return replace(plan, image=folder, counts=(3, 2), scenes=((4, plan.scenes[0][1]),))


upright = pytest.mark.parametrize("plan", [find_plan(DEFAULT)], indirect=True, ids=[DEFAULT])


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    monkeypatch.setattr(demo, "run_image", run_here)


def run(folder, plan):
    console = Console(file=io.StringIO(), width=200)
    demo.run_demo(folder, console, plan)
    return console.file.getvalue()


def test_the_demo_ends_with_a_picture_a_page_and_the_paths_of_all_outputs(tmp_path, plan):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "stale").write_bytes(b"")
    shown = run(tmp_path, plan)
    paths = [Path(line.rsplit(maxsplit=1)[-1]) for line in shown.splitlines() if line.startswith("  ")]
    assert len(paths) >= 10
    assert all(path.exists() for path in paths)
    masked = plan.object_type is not ObjectType.DETECTION
    drawn = (tmp_path / "overview.svg").read_text(encoding="utf-8")
    assert "0.970 after 1 min 1 s of training" in ElementTree.fromstring(drawn).findtext("{*}title", "")
    assert all(words in drawn for words in ("Found on unlabelled images", "Label these first", "These can wait"))
    assert set(re.findall(r'(?:href|src)="([^",]+)', drawn)) == {"data:image/jpeg;base64"}
    assert ("rotate(28.65 30.0 25.0)" in drawn) == plan.rotated
    assert ('<path class="edge' in drawn) == ("right: truth" in drawn) == masked
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ("rotate(28.65 30.0 25.0)" in page) == plan.rotated
    assert ('<path class="edge' in page) == masked
    assert ('<path class="region"' in page) == ("regions to label" in shown) == (plan.object_type == 3)
    assert "on validation: 0.970" in shown
    assert not (tmp_path / "training" / "stale").exists()
    annotations = [line.split("\t")[1] for line in (tmp_path / "training/in/train-index.tsv").read_text().splitlines()]
    assert len(annotations) == 3
    assert all(("counts" in Path(file).read_text(encoding="utf-8")) == masked for file in annotations)


@each_plan
def test_the_candidates_show_every_scene_once_and_a_file_that_is_no_image(whole):
    plan = replace(whole, scenes=tuple((1, scene) for _, scene in whole.scenes), counts=(1, 1))
    *images, broken = demo.unlabelled_samples(plan)
    samples = [sample_of(rendered) for rendered in [*images, *plan.train()]]
    assert len({sample.asset for sample in samples}) == len(plan.scenes) + 1
    assert any(sample.angles.any() for sample in samples) == plan.rotated
    assert any(isinstance(each, MaskedSample) for each in images) == (plan.object_type is not ObjectType.DETECTION)
    assert sample_of(broken).content is not None


@upright
@pytest.mark.parametrize(
    ("least", "findings", "message"),
    [
        (0.98, [], "AP at IoU 0.5 is 0.970; at least 0.98 is expected"),
        (0.9, [Finding(Path("x"), "is wrong", "Do it right")], "1 outputs break"),
    ],
)
def test_results_that_are_not_good_enough_fail_the_demo(tmp_path, plan, monkeypatch, least, findings, message):
    monkeypatch.setattr(demo, "draw_overview", lambda *_: None)
    monkeypatch.setattr(demo, "check_out", lambda *_, **__: findings)
    with pytest.raises(demo.DemoError, match=message):
        run(tmp_path, replace(plan, least=least))


@upright
def test_a_rotated_image_that_writes_no_angle_fails_the_demo(tmp_path, plan, monkeypatch):
    monkeypatch.setattr(demo, "draw_overview", lambda *_: None)
    with pytest.raises(demo.DemoError, match="1 outputs break"):
        run(tmp_path, replace(plan, rotated=True))


@upright
def test_an_image_that_fails_ends_the_demo(tmp_path, plan):
    (plan.image / "start.py").write_text("raise SystemExit(64)", encoding="utf-8")
    with pytest.raises(demo.DemoError, match="image failed with exit status 64"):
        run(tmp_path / "demo", plan)


@each_plan
def test_the_parameters_of_the_demo_are_in_the_forms_of_its_image(whole):
    detection = whole.object_type is ObjectType.DETECTION
    form = filled_form(whole.image, Verb.TRAINING, whole.training, whole.object_type)
    assert form["export_format"] == ("ark:raw" if detection else "seg-coco:raw")
    assert "mining_algorithm" in filled_form(whole.image, Verb.MINING, whole.mining, whole.object_type)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--image", "seg"], "image 'seg'; allowed are det-yolov5-tmi, rot-mmrotate-tmi, seg-all-in-one-tmi"),
        (["--object-type", "mask"], "object type 'mask' of det-yolov5-tmi; allowed are detection"),
    ],
)
def test_what_has_no_demo_is_refused_with_what_has_one(options, message):
    result = CliRunner().invoke(app, ["demo", *options], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert message in result.output


def test_an_image_of_several_object_types_has_a_demo_for_each():
    found = [find_plan("seg-all-in-one-tmi", name).object_type for name in ("Detection", "semantic", "instance")]
    assert found == [ObjectType.DETECTION, ObjectType.SEMANTIC, ObjectType.INSTANCE]
    assert find_plan("seg-all-in-one-tmi").object_type is ObjectType.SEMANTIC


@pytest.mark.parametrize(
    ("verb", "kept"),
    [
        (Verb.TRAINING, {"epochs": 0, "fp16": False, "model": "n"}),  # only '' is lost
        (Verb.MINING, {"model": "n"}),  # everything falsy is
    ],
)
def test_the_form_loses_what_the_web_page_loses(tmp_path, verb, kept):
    values = {"epochs": 0, "fp16": False, "model": "m", "options": ""}
    file = tmp_path / "img-man" / f"{verb}-template.yaml"
    file.parent.mkdir()
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    assert filled_form(tmp_path, verb, {"model": "n"}) == kept


@pytest.mark.parametrize(
    ("object_type", "template"),
    [
        (ObjectType.DETECTION, "det/mining-template.yaml"),
        (ObjectType.SEMANTIC, "semantic-seg/mining-template.yaml"),
        (ObjectType.INSTANCE, "instance-seg/mining-template.yaml"),
    ],
)
def test_an_image_of_several_object_types_has_a_form_for_each(object_type, template):
    image = REPOSITORY / "seg-all-in-one-tmi"
    assert template_file(image, Verb.MINING, object_type) == image / "img-man" / template
    assert filled_form(image, Verb.MINING, {"mining_algorithm": "random"}, object_type)["mining_algorithm"] == "random"


@pytest.mark.parametrize(
    ("name", "object_type", "words"),
    [
        (DEFAULT, ObjectType.SEMANTIC, "no form for object type 3 (semantic), only for 2"),
        ("seg-all-in-one-tmi", ObjectType.MULTI_MODAL, "no form for object type 50 (multi_modal), only for [2, 3, 4]"),
    ],
)
def test_an_image_has_no_form_for_another_object_type(name, object_type, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        template_file(REPOSITORY / name, Verb.INFER, object_type)


def test_the_form_has_no_field_for_an_unknown_key():
    with pytest.raises(ValueError, match="epoch: not in"):
        filled_form(find_plan(DEFAULT).image, Verb.TRAINING, {"epoch": 3})
