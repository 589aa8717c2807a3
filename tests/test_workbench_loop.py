"""The loop: who is labelled when, what is run once, and what is drawn of it, with images that need no torch."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import yaml
from fakes import run_here
from import_cases import yolo_set
from rich.console import Console
from typer.testing import CliRunner

from common.contract import Verb
from workbench.__main__ import app
from workbench.images import REPOSITORY
from workbench.loop import outcome, step
from workbench.loop.curve import areas, rows
from workbench.loop.rendered import QUICK, rendered_pool
from workbench.loop.rounds import Point
from workbench.loop.setup import LoopError, Pool, Setup, check_setup
from workbench.sample import Sample
from workbench.task import Task

# Learns as much as it has seen bright images; mines the brightest first, or whatever the task id makes of "random".
START = """
import json, os, time, zlib
from pathlib import Path
import yaml
env = yaml.load(Path(os.environ["DEFAULT_ENV_FILE_PATH"]).read_text(), yaml.CSafeLoader)
config = yaml.load(Path(env["input"]["config_file"]).read_text(), yaml.CSafeLoader)
out = {key: Path(path) for key, path in env["output"].items()}
lines = lambda key: Path(env["input"][key]).read_text().splitlines()
light = lambda path: Path(path).read_bytes()[-1]  # of a BMP, a pixel
with open(Path(__file__).parent / "runs", "a") as runs:
    print(config["task_id"], config.get("pretrained_model_params", []), file=runs)
if config.get("epochs") == 13 or (Path(__file__).parent / "broken").exists():
    raise SystemExit("[unlucky]")
if env["run_training"]:
    seen = [line.split("\\t")[0] for line in lines("training_index_file")]
    (out["models_dir"] / "best").mkdir(exist_ok=True)
    (out["models_dir"] / "best" / "best.pt").write_text("w")
    stage = {"stage_name": "best", "files": ["best.pt"], "timestamp": 1, "mAP": sum(map(light, seen)) / 4000}
    document = {"best_stage_name": "best", "model_stages": {"best": stage}, "object_type": 2}
    out["training_result_file"].write_text(yaml.safe_dump(document))
else:
    score = light if config["mining_algorithm"] == "entropy" else lambda p: zlib.crc32((config["task_id"] + p).encode())
    ranked = sorted(lines("candidate_index_file"), key=score, reverse=True)
    out["mining_result_file"].write_text("".join(f"{path}\\t{-i}\\n" for i, path in enumerate(ranked)))
out["monitor_file"].write_text(f"{config['task_id']}\\t{time.time()}\\t1.0\\t2\\t0\\n")
"""


@pytest.fixture
def image(tmp_path):
    folder = tmp_path / "image"
    (folder / "img-man").mkdir(parents=True)
    (folder / "start.py").write_text(START, encoding="utf-8")
    forms = {"training": {"export_format": "ark:raw", "epochs": 3}, "mining": {"mining_algorithm": "aldd"}}
    for verb, form in forms.items():
        (folder / "img-man" / f"{verb}-template.yaml").write_text(yaml.safe_dump(form), encoding="utf-8")
    return folder


def sample(value):
    box = np.array([[0, 0, 4, 4]])
    return Sample(np.full((8, 8, 3), value, np.uint8), box, np.zeros(1, np.int64), extension="bmp")


POOL = Pool("gray images", ["thing"], [sample(value) for value in range(0, 200, 10)], [sample(255)])


def setup(image, **more):
    return Setup(image, **{"start": 4, "add": 3, "rounds": 2} | more)


def run(folder, setup, pool=POOL):
    console = Console(file=io.StringIO(), width=200)
    check_setup(setup, pool, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "run_image", run_here)
        outcome.run_loop(folder, setup, pool, console)
    return console.file.getvalue()


def ran(image):
    file = image / "runs"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [line.split()[0] for line in lines]


def csv(folder):
    header, *lines = (folder / "curve.csv").read_text(encoding="utf-8").splitlines()
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]


def test_every_algorithm_begins_with_the_same_images_and_labels_the_first_of_its_own_ranking(tmp_path, image):
    shown = run(tmp_path / "loop", setup(image))
    points = csv(tmp_path / "loop")
    assert [(row["algorithm"], row["round"], row["images"]) for row in points] == [
        ("random", "0", "4"),
        ("entropy", "0", "4"),
        ("random", "1", "7"),
        ("random", "2", "10"),
        ("entropy", "1", "7"),
        ("entropy", "2", "10"),
    ]
    assert points[0]["metric"] == points[1]["metric"]
    assert [row["objects"] for row in points] == [row["images"] for row in points]  # one on each
    assert ran(image)[0] == "loop-seed-0-first"
    assert len(ran(image)) == 1 + 2 * 2 * 2
    task = Task.load(tmp_path / "loop" / "seed-0" / "entropy" / "round-1" / "training" / "in" / "env.yaml")
    first = Task.load(tmp_path / "loop" / "seed-0" / "first" / "in" / "env.yaml")
    added = [line for line in names(task) if line not in names(first)]
    brightest = sorted((name for name in all_names() if name not in names(first)), key=brightness, reverse=True)
    assert sorted(added) == sorted(brightest[:3])
    assert "entropy" in shown


def names(task, index="training"):
    return [Path(line.split("\t")[0]).name for line in task.index_lines(index)]


def all_names():
    return [each.base_name for each in POOL.train]


def brightness(name):
    return next(each.image.mean() for each in POOL.train if each.base_name == name)


def test_what_was_chosen_is_no_candidate_any_more_and_validation_stays(tmp_path, image):
    run(tmp_path / "loop", setup(image, algorithms=["entropy"]))
    root = tmp_path / "loop" / "seed-0" / "entropy"
    tasks = [
        Task.load(root / f"round-{n}" / kind / "in" / "env.yaml") for n in (1, 2) for kind in ("mining", "training")
    ]
    first_mining, first_training, second_mining, second_training = tasks
    assert len(first_mining.candidates) == 16
    assert {path.name for path in second_mining.candidates} == set(all_names()) - set(names(first_training))
    assert names(first_training, "val") == names(second_training, "val") == [POOL.val[0].base_name]


@pytest.mark.parametrize("from_scratch", [False, True])
def test_a_training_goes_on_from_the_model_before_or_starts_anew(tmp_path, image, from_scratch):
    run(tmp_path / "loop", setup(image, algorithms=["entropy"], from_scratch=from_scratch))
    lines = (image / "runs").read_text(encoding="utf-8").splitlines()
    trainings = [line for line in lines if line.split()[0].endswith("training")]
    assert [("best.pt" in line) for line in trainings] == [not from_scratch] * 2


def test_a_seed_chooses_other_first_images_and_another_order_by_chance(tmp_path, image):
    run(tmp_path / "loop", setup(image, algorithms=["random"], rounds=1, seeds=2))
    firsts = [Task.load(tmp_path / "loop" / f"seed-{n}" / "first" / "in" / "env.yaml") for n in (0, 1)]
    assert set(names(firsts[0])) != set(names(firsts[1]))
    ids = [name for name in ran(image) if name.endswith("mining")]
    assert ids == ["loop-seed-0-random-round-1-mining", "loop-seed-1-random-round-1-mining"]


def test_image_files_are_stored_once_for_all_tasks(tmp_path, image):
    run(tmp_path / "loop", setup(image))
    files = [path for path in (tmp_path / "loop" / "assets").rglob("*.bmp") if path.is_file()]
    assert len(files) == len(POOL.train) + len(POOL.val)
    assert (tmp_path / "loop" / "seed-0" / "first" / "in" / "assets").is_symlink()


def test_what_is_done_is_not_run_again_and_more_can_be_asked_for(tmp_path, image):
    run(tmp_path / "loop", setup(image, algorithms=["random"], rounds=1))
    before = ran(image)
    run(tmp_path / "loop", setup(image, algorithms=["random"], rounds=1))
    assert ran(image) == before
    run(tmp_path / "loop", setup(image, algorithms=["random", "entropy"], rounds=2, seeds=2))
    assert len(ran(image)) == 2 * (1 + 2 * 2 * 2)
    assert len(set(ran(image))) == len(ran(image))


def test_a_loop_that_was_stopped_goes_on_where_it_was(tmp_path, image):
    (image / "broken").touch()
    with pytest.raises(LoopError, match="seed-0/first: 4 images: exit status 1"):
        run(tmp_path / "loop", setup(image))
    (image / "broken").unlink()
    marker = tmp_path / "loop" / "seed-0" / "first" / "out" / "kept"
    marker.touch()  # what the image left there is what it goes on from
    (tmp_path / "loop" / "seed-0" / "random" / "round-1" / "mining" / "in").mkdir(parents=True)  # stopped while written
    run(tmp_path / "loop", setup(image))
    assert marker.exists()
    assert ran(image).count("loop-seed-0-first") == 2
    assert len(csv(tmp_path / "loop")) == 6


def test_an_output_that_cannot_be_read_stops_the_loop_with_the_way_to_the_reason(tmp_path, image):
    start = image / "start.py"
    start.write_text(start.read_text(encoding="utf-8").replace('"mAP":', '"mIoU":'), encoding="utf-8")
    with pytest.raises(LoopError, match=r"KeyError\('mAP'\).*python -m workbench check .*first/in/env.yaml"):
        run(tmp_path / "loop", setup(image))
    assert not (tmp_path / "loop" / "seed-0" / "first" / "done.json").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"start": 5}, "start was 4, now 5"),
        ({"from_scratch": True}, "from_scratch was False, now True"),
        ({"training": {"epochs": 4}}, r"training was \{\}, now \{'epochs': 4\}"),
    ],
)
def test_a_folder_of_another_loop_is_left_alone(tmp_path, image, change, told):
    check_setup(setup(image), POOL, tmp_path / "loop")
    with pytest.raises(LoopError, match=told):
        check_setup(setup(image, **change), POOL, tmp_path / "loop")


def test_more_labels_than_images_are_refused(tmp_path, image):
    with pytest.raises(LoopError, match="has 20 images to choose from; 4 \\+ 6 rounds of 3 need 22"):
        check_setup(setup(image, rounds=6), POOL, tmp_path / "loop")


# the curve

POINTS = [
    Point("random", 0, 0, 10, 20, 0.2),
    Point("random", 1, 0, 10, 24, 0.4),
    Point("random", 0, 1, 20, 40, 0.4),
    Point("random", 1, 1, 20, 44, 0.6),
    Point("aldd", 0, 0, 10, 20, 0.2),
    Point("aldd", 0, 1, 20, 50, 0.7),
]


def test_the_table_has_mean_span_and_gain_over_random_with_the_same_seed():
    first, last, _, best = rows(POINTS)
    assert (first.mean, first.low, first.high, first.objects, first.seeds) == (pytest.approx(0.3), 0.2, 0.4, 22, 2)
    assert (last.mean, last.gain) == (pytest.approx(0.5), None)
    assert (best.algorithm, best.images, best.gain) == ("aldd", 20, pytest.approx(0.3))


def test_the_height_of_a_curve_is_its_mean_over_the_labels():
    assert areas(rows(POINTS)) == {"random": pytest.approx(0.4), "aldd": pytest.approx(0.45)}
    assert areas(rows(POINTS[:1])) == {}


@pytest.mark.parametrize("points", [POINTS, POINTS[:1], POINTS[4:]])
def test_picture_and_page_show_what_is_known_so_far(tmp_path, image, points):
    outcome.write_outcome(points, setup(image), POOL, tmp_path)
    page = (tmp_path / "curve.html").read_text(encoding="utf-8")
    assert page.count("<tr>") == 1 + len(rows(points))
    drawn = (tmp_path / "curve.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(drawn)
    for text in (page, drawn):
        assert text.count('<polyline class="line"') == len({point.algorithm for point in points})
        assert text.count("<circle ") == len(rows(points))
        assert ('class="span"' in text) == any(row.seeds > 1 for row in rows(points))
    assert ("seeds; the bands" in page) == any(row.seeds > 1 for row in rows(points))


def test_rendered_images_are_easy_full_or_empty_and_none_is_in_both_sets():
    pool = rendered_pool(20, 10)
    assert [len(each.classes) for each in pool.train[-4:]] == [0] * 4
    assert all(len(each.classes) > 0 for each in pool.train[:-4])
    assert len(pool.val) in {9, 10, 11}
    assert not {each.asset for each in pool.train} & {each.asset for each in pool.val}


@pytest.mark.parametrize("name", QUICK)
def test_the_quick_settings_are_in_the_forms_of_their_image(name):
    training, mining = QUICK[name]
    both = Setup(REPOSITORY / name, training=training, mining=mining)
    assert both.form(Verb.TRAINING)["epochs"] == training["epochs"]
    assert both.form(Verb.MINING, mining_algorithm="random")["img_size"] == mining["img_size"]


# the command


def command(*words):
    result = CliRunner().invoke(app, ["loop", *map(str, words)], env={"COLUMNS": "300"})
    return result.exit_code, result.output


def test_the_command_runs_a_data_set_and_shows_the_table(tmp_path, image):
    source = yolo_set(tmp_path / "yolo", ["0 0.5 0.5 0.5 0.5"])
    for value in range(8):
        cv2.imwrite(str(source / "images" / "train" / f"{value}.png"), np.full((9, 9, 3), 100 + value, np.uint8))
    words = (tmp_path / "loop", "--format", "yolo", "--source", source, "--image", image)
    status, shown = command(*words, "--start", 2, "--add", 2, "--rounds", 2, "--set", "epochs=5")
    assert status == 0, shown
    assert [row["images"] for row in csv(tmp_path / "loop") if row["algorithm"] == "entropy"] == ["2", "4", "6"]
    assert "mean height of the curve of entropy: 0." in shown
    assert str(tmp_path / "loop" / "curve.html") in shown
    first = Task.load(tmp_path / "loop" / "seed-0" / "first" / "in" / "env.yaml")
    assert (first.config["epochs"], first.class_names) == (5, ["dog", "cat"])
    assert json.loads((tmp_path / "loop/seed-0/entropy/round-1/mining/done.json").read_text())["chosen"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--algorithms", "entropie"], "--algorithms entropie: allowed are random, entropy, aldd, cald"),
        (["--algorithms", " "], "allowed are random, entropy, aldd, cald"),
        (["--format", "coco"], "give both --format and --source of a data set, or neither"),
        (["--image", "rot-mmrotate-tmi"], "rendered images only have upright boxes"),
        (["--start", "500"], "has 240 images to choose from"),
        (["--set", "epoch=1"], "expected key=value with a key of the form"),
        (["--image", "seg-all-in-one-tmi"], "Choose with --object-type"),
    ],
)
def test_what_the_command_cannot_do_is_one_sentence(tmp_path, words, message, monkeypatch):
    small = Pool("rendered", ["thing"], POOL.train * 12, POOL.val)
    monkeypatch.setattr("workbench.commands.looping.rendered_pool", lambda *_: small)
    status, shown = command(tmp_path / "loop", *words)
    assert (status, "Traceback" in shown) == (1, False)
    assert message in shown


def test_a_failing_image_ends_the_command_with_its_reason(tmp_path, image):
    source = yolo_set(tmp_path / "yolo", ["0 0.5 0.5 0.5 0.5"])
    cv2.imwrite(str(source / "images" / "train" / "b.png"), np.full((9, 9, 3), 100, np.uint8))
    words = (tmp_path / "loop", "--format", "yolo", "--source", source, "--image", image)
    status, shown = command(*words, "--start", 1, "--add", 1, "--rounds", 1, "--set", "epochs=13")
    assert status == 1
    assert "[unlucky]" in shown
    assert "seed-0/first: 1 images: exit status 1, see above. Run the same command again to resume" in shown
