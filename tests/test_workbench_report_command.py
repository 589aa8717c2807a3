"""`python -m workbench report`: a page about any finished task."""

import html
import re
import shutil
from pathlib import Path

import pytest
import yaml
from fakes import run_here
from typer.testing import CliRunner

from common.contract import ObjectType
from workbench.__main__ import app
from workbench.platform import write_candidate_task, write_training_task
from workbench.shapes import CLASS_NAMES, render

FAKE = Path(__file__).parent / "fake_start.py"
TASKS = ("training", "both", "infer", "mining")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a finished task of each kind."""
    root = tmp_path_factory.mktemp("finished")
    samples = render(4, seed=0)
    write_training_task(root / "training", samples[:2], samples[2:3], CLASS_NAMES, {"epochs": 2})
    for name in TASKS[1:]:
        verbs = {"run_mining": name != "infer", "run_infer": name != "mining"}
        write_candidate_task(root / name, samples, [], CLASS_NAMES, {"conf_thres": 0.1}, **verbs)
    for name in TASKS:
        assert run_here(FAKE, root / name / "in" / "env.yaml") == 0
    return root


@pytest.fixture
def tasks(finished, tmp_path):
    """A copy that a test may change. As one for a container, its env.yaml names the paths of another place."""
    for name in TASKS:
        shutil.copytree(finished / name, tmp_path / name, symlinks=True)
    return tmp_path


def report(*words):
    return CliRunner().invoke(app, ["report", *map(str, words)], env={"COLUMNS": "300"})


def change_config(task, **values):
    config = task / "in" / "config.yaml"
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump(content | values), encoding="utf-8")


def text_of(page):
    text = page.read_text(encoding="utf-8")
    return html.unescape(re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL))


PARTS = {
    "training": ["Training", "Best stage", "Classes"],
    "both": ["Found on unlabelled images", "What to label next", "Mining scores", "Detection scores"],
    "infer": ["Found on unlabelled images", "Detection scores"],
    "mining": ["What to label next", "Mining scores", "Label these first", "These can wait"],
}
ALWAYS = {"Contract", "Parameters", "Outputs"}


def headings(page):
    return re.findall(r"<h[23]>([^<]*)</h[23]>", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TASKS)
def test_a_page_has_the_parts_that_its_task_can_tell(tasks, name):
    done = report(tasks / name)
    page = tasks / name / "report.html"
    assert (done.exit_code, done.output.split(maxsplit=1)) == (0, ["Written:", f"{page}\n"])
    shown = set(headings(page))
    assert ALWAYS | set(PARTS[name]) <= shown
    assert not ({part for parts in PARTS.values() for part in parts} - set(PARTS[name])) & shown - (
        {"Label these first", "These can wait"} if name == "both" else set()
    )


@pytest.mark.parametrize("order", [("training", "both"), ("both", "training")])
def test_a_training_and_what_its_model_did_are_one_round_in_any_order(tasks, order):
    done = report(*(tasks / name / "in" / "env.yaml" for name in order), "--to", tasks / "page.html")
    assert done.exit_code == 0
    page = tasks / "page.html"
    assert set(PARTS["training"]) | set(PARTS["both"]) | ALWAYS <= set(headings(page))
    links = re.findall(r'href="([^"#]+)"', re.sub(r"<image [^>]*>", "", page.read_text(encoding="utf-8")))
    assert {"training/out/class-metrics.csv", "both/out/result.tsv"} <= set(links)
    assert all((tasks / link).exists() for link in links)
    assert "A round of active learning" in text_of(page)


def test_links_lead_out_of_the_folder_of_the_page(tasks):
    assert report(tasks / "infer", tasks / "training").exit_code == 0
    links = re.findall(r'<a href="([^"]+)"', (tasks / "infer" / "report.html").read_text(encoding="utf-8"))
    assert {"../training/out/models/result.yaml", "out/infer-result.json"} <= set(links)


def test_the_parameters_are_those_that_the_image_used(tasks):
    """`fp16` is not in config.yaml: the form has dropped it, or it had its default."""
    report(tasks / "infer")
    assert re.search(r"fp16\s+False", text_of(tasks / "infer" / "report.html"))
    (tasks / "infer" / "out" / "ymir-executor-out.log").unlink()
    report(tasks / "infer")
    text = text_of(tasks / "infer" / "report.html")
    assert "fp16" not in text
    assert "start to end" not in text
    assert re.search(r"The parameters in config.yaml.*conf_thres\s+0.1", text, re.DOTALL)


def test_the_worst_classes_are_seen_first_and_those_without_numbers_last(tasks):
    report(tasks / "training")
    text = text_of(tasks / "training" / "report.html")
    shown = re.search(r"triangle\s+0.907\s+1,199\s+disc\s+0.970\s+1,200\s+star\s+-\s+0\s", text)
    assert shown, text


def test_of_many_classes_most_are_folded_away(tasks):
    rows = "".join(f"class {i},{i / 80},{i / 160},{i}\n" for i in range(80))
    table = tasks / "training" / "out" / "class-metrics.csv"
    table.write_text(f"class,AP50,AP50_95,objects\n{rows}", encoding="utf-8")
    report(tasks / "training")
    open_, folded = (tasks / "training" / "report.html").read_text(encoding="utf-8").split("<details>")
    assert re.findall(r'<li title="(.*?)">', open_) == [f"class {i}" for i in range(20)]
    assert "60 more classes" in folded
    table.unlink()
    report(tasks / "training")
    assert "The image wrote no class-metrics.csv." in text_of(tasks / "training" / "report.html")


@pytest.mark.parametrize(
    ("owner", "unit", "degrees"),
    [("infer", "pi", 45), ("infer", "radian", 14.32), ("training", "PI", 45), ("", "", 14.32)],
)
def test_angles_are_drawn_in_the_unit_that_the_task_or_its_training_says(tasks, owner, unit, degrees):
    result = tasks / "infer" / "out" / "infer-result.json"
    text = result.read_text(encoding="utf-8").replace('"h": 30', '"h": 30, "rotate_angle": 0.25')
    result.write_text(text, encoding="utf-8")
    if owner:
        change_config(tasks / owner, angle_unit=unit)
    assert report(tasks / "infer", tasks / "training").exit_code == 0
    page = (tasks / "infer" / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r"rotate\(([0-9.]+) ", page)) == {str(float(degrees))}


def test_a_breach_of_the_contract_is_on_the_page(tasks):
    monitor = tasks / "mining" / "out" / "monitor.txt"
    monitor.write_text(monitor.read_text(encoding="utf-8").replace("\t1.0\t", "\t0.5\t"), encoding="utf-8")
    assert report(tasks / "mining").exit_code == 0
    assert "outputs break the platform's contract" in text_of(tasks / "mining" / "report.html")


def test_images_that_are_gone_and_classes_that_nobody_asked_for_are_no_error(tasks):
    shutil.rmtree(tasks / "both" / "in" / "assets")
    change_config(tasks / "both", class_names=["other"])
    assert report(tasks / "both").exit_code == 0
    text = text_of(tasks / "both" / "report.html")
    assert "cannot be decoded" in text
    assert re.search(r"other\s+disc", text)


def empty_result(tasks):
    (tasks / "training" / "out" / "models" / "result.yaml").write_text("{}", encoding="utf-8")
    return [tasks / "training"]


def no_result(tasks):
    (tasks / "infer" / "out" / "infer-result.json").unlink()
    return [tasks / "infer"]


def another_type(tasks):
    change_config(tasks / "both", object_type=int(ObjectType.INSTANCE))
    return [tasks / "training", tasks / "both"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda tasks: [tasks / "nothing"], "nothing: there is no env.yaml for it"),
        (lambda tasks: [tasks / "mining", tasks / "infer"], "allowed are a training, a task that mines or infers"),
        (lambda tasks: [tasks / "training", "--to", tasks / "no" / "page.html"], "there is no folder"),
        (no_result, "infer-result.json: missing. Only a finished task has a page"),
        (empty_result, "the results cannot be read"),
        (another_type, "have object types 2 (detection) and 4 (instance)"),
    ],
)
def test_what_no_page_can_be_made_of_is_said_in_a_sentence(tasks, given, words):
    done = report(*given(tasks))
    assert done.exit_code == 1
    assert words in done.output
    assert "Traceback" not in done.output
