"""The report: what was right, what to label next, one page that needs nothing else."""

import base64
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import run_here

from common.boxes import rotated
from common.contract import ObjectType
from workbench import ships
from workbench.candidates import RankedImage, mistakes_per_image, read_candidates, spread
from workbench.charts import apart
from workbench.check import Finding
from workbench.drawn import Drawn, true_objects
from workbench.gallery import Tile, legend
from workbench.graphics import embed
from workbench.masked import MaskedSample, render_masked
from workbench.matching import PixelVerdict, Verdict, judge, judge_pixels
from workbench.outline import box_outlines, mask_outline
from workbench.outputs import read_training_curve
from workbench.platform import write_candidate_task, write_training_task
from workbench.report import write_report
from workbench.sample import Sample
from workbench.shapes import CLASS_NAMES, CUT, render
from workbench.story import Story, duration
from workbench.task import Task

FAKE = Path(__file__).parent / "fake_start.py"


def found(*rows, angle=0.0):
    """Detections `(class name, score, x1, y1, x2, y2)`, all at one angle."""
    boxes = np.array([corners for _, _, *corners in rows], np.int64).reshape(-1, 4)
    scores = np.array([score for _, score, *_ in rows], float)
    return Drawn(boxes, np.full(len(rows), angle), tuple(name for name, *_ in rows), scores)


def truth(*rows, angle=0.0):
    """Drawn `(class name, x1, y1, x2, y2)`, all at one angle."""
    return replace(found(*[(name, 1.0, *corners) for name, *corners in rows], angle=angle), scores=None)


def masked(objects, *slices):
    """The objects with masks that fill `(rows, columns)` of 9 x 9 pixels."""
    masks = np.zeros((len(slices), 9, 9), np.bool_)
    for mask, place in zip(masks, slices, strict=True):
        mask[place] = True
    return replace(objects, masks=masks)


@pytest.mark.parametrize(
    ("detections", "objects", "right", "missed"),
    [
        ([("dog", 0.9, 0, 0, 9, 9)], [("dog", 0, 0, 9, 9)], [True], [False]),
        ([("cat", 0.9, 0, 0, 9, 9)], [("dog", 0, 0, 9, 9)], [False], [True]),  # another class
        ([("dog", 0.9, 0, 0, 4, 9)], [("dog", 0, 0, 9, 9)], [False], [True]),  # IoU 4/9
        ([("dog", 0.5, 0, 0, 9, 9), ("dog", 0.6, 0, 0, 9, 8)], [("dog", 0, 0, 9, 9)], [False, True], [False]),  # twice
        ([], [("dog", 0, 0, 9, 9)], [], [True]),
        ([("dog", 0.9, 0, 0, 9, 9)], [], [False], []),
    ],
)
def test_detections_are_judged_best_first(detections, objects, right, missed):
    verdict = judge(found(*detections), truth(*objects))
    assert (verdict.right.tolist(), verdict.missed.tolist()) == (right, missed)
    assert verdict.mistakes == right.count(False) + missed.count(True)


LYING, STANDING = (0, 40, 100, 60), (40, 0, 60, 100)


@pytest.mark.parametrize(
    ("box", "angle", "other", "turn", "right"),
    [
        (LYING, 0.5, LYING, 0.5, True),
        (LYING, 0.5, LYING, 0.6, True),
        (LYING, 0.5, LYING, 0.0, False),  # as if the image had forgotten the angle
        (LYING, np.pi / 2, STANDING, 0.0, True),  # the same rectangle, written in another way
        (LYING, 0.3, STANDING, 0.3 + np.pi / 2, True),
        (LYING, 0.4, LYING, -0.4, False),  # the other way round
    ],
)
def test_rotated_boxes_are_compared_as_they_lie(box, angle, other, turn, right):
    verdict = judge(found(("dog", 0.9, *box), angle=angle), truth(("dog", *other), angle=turn))
    assert verdict.right.tolist() == [right]


def test_a_frame_turns_about_its_centre_and_has_its_label_at_its_uppermost_place():
    lying, turned = box_outlines(np.array([LYING, LYING]), np.array([0.0, np.pi / 6]))
    assert (lying.degrees, lying.top) == (0.0, (0, 40, 100, 40))
    assert turned.degrees == pytest.approx(30)
    assert (turned.corners, turned.centre, turned.width, turned.height) == (LYING, (50, 50), 100, 20)
    # Clockwise: the left end goes up. 50 - 50 cos + 10 sin, 50 - 50 sin - 10 cos; of the top left corner.
    left, up = (
        50 - 50 * np.cos(np.pi / 6) + 10 * np.sin(np.pi / 6),
        50 - 50 * np.sin(np.pi / 6) - 10 * np.cos(np.pi / 6),
    )
    assert turned.top == pytest.approx((left, up, left, up))


def test_a_turned_box_is_drawn_over_the_object_that_was_rendered():
    sample = ships.render(1, seed=3)[0]
    for frame, expected in zip(
        box_outlines(sample.boxes, sample.angles),
        rotated.corners(rotated.from_upright(sample.boxes, sample.angles)),
        strict=True,
    ):
        (x1, y1, x2, y2), angle = frame.corners, np.radians(frame.degrees)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # of rows, as SVG turns
        corners = (np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)]) - frame.centre) @ turn + frame.centre
        assert corners == pytest.approx(expected)


# masks

BOX = (0, 0, 9, 9)


def test_objects_with_masks_are_judged_by_them_and_not_by_their_boxes():
    left, right = (slice(0, 9), slice(0, 4)), (slice(0, 9), slice(5, 9))
    verdict = judge(
        masked(found(("dog", 0.9, *BOX), ("dog", 0.8, *BOX)), right, left), masked(truth(("dog", *BOX)), left)
    )
    assert (verdict.right.tolist(), verdict.missed.tolist()) == ([False, True], [False])
    assert judge(replace(found(), masks=np.zeros((0, 1, 1), bool)), masked(truth(("dog", *BOX)), left)).mistakes == 1


def test_maps_of_classes_are_judged_by_their_pixels():
    upper, lower, row = (slice(0, 3), slice(0, 9)), (slice(3, 9), slice(0, 9)), (slice(2, 3), slice(0, 9))
    real = masked(truth(("dog", *BOX), ("cat", *BOX)), upper, lower)
    assert judge_pixels(real, real) == PixelVerdict(0)
    swapped = replace(real, names=("cat", "dog"))
    assert judge_pixels(swapped, real) == PixelVerdict(100)
    assert judge_pixels(masked(truth(("dog", *BOX)), upper), real).mistakes == pytest.approx(100 * 6 / 9)
    empty = replace(truth(), masks=np.zeros((0, 1, 1), bool))
    assert judge_pixels(empty, masked(truth(("cat", *BOX)), row)).mistakes == pytest.approx(100 / 9)


def test_the_truth_of_a_semantic_project_is_a_mask_a_class():
    for rendered in render_masked(4, seed=1, scene=replace(CUT, empty_share=0)):
        objects = true_objects(rendered, CLASS_NAMES, ObjectType.SEMANTIC)
        labels = rendered.labels(blank=len(CLASS_NAMES))
        assert sorted(objects.names) == sorted(CLASS_NAMES[k] for k in np.unique(labels) if k < len(CLASS_NAMES))
        for name, mask, (x1, y1, x2, y2) in zip(objects.names, objects.masks, objects.boxes, strict=True):
            assert np.array_equal(mask, labels == CLASS_NAMES.index(name))
            ys, xs = np.nonzero(mask)
            assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (x1, y1, x2, y2)
        assert len(true_objects(rendered, CLASS_NAMES, ObjectType.INSTANCE).masks) == len(rendered.sample.classes)
    blank = MaskedSample(Sample(np.zeros((4, 5, 3), np.uint8)), np.full((4, 5), -1, np.int16))
    assert true_objects(blank, CLASS_NAMES, ObjectType.SEMANTIC).masks.shape == (0, 4, 5)


def test_the_outline_of_a_mask_has_a_ring_for_each_part_and_each_hole():
    mask = np.zeros((12, 20), np.bool_)
    mask[2:9, 3:10] = mask[4:6, 14:18] = True
    mask[4:7, 5:8] = False
    shape = mask_outline(mask)
    assert len(shape.rings) == 3
    assert shape.top == (3.5, 2.5, 3.5, 2.5)
    assert shape.path.count("Z") == 3
    assert mask_outline(np.zeros((3, 3), np.bool_)).path == ""


def test_a_mask_is_drawn_over_the_object_that_was_rendered():
    [rendered] = render_masked(1, seed=3, scene=replace(CUT, empty_share=0, objects=(3, 3)))
    for mask in rendered.masks:
        columns, rows = np.floor(np.concatenate(mask_outline(mask).rings)).astype(int).T
        assert mask[rows, columns].all()


def test_the_legend_tells_what_there_is():
    judged = tile(1)
    chosen = replace(judged, verdict=PixelVerdict(3.0), regions=mask_outline(np.ones((4, 4), np.bool_)))
    assert legend([replace(judged, verdict=None)]) == []
    assert legend([judged]) == ["dashed: wrong", "white: missed"]
    assert legend([chosen]) == ["white: regions to label"]
    assert mistakes_per_image([candidate(chosen), candidate(replace(chosen, verdict=PixelVerdict(5.0)))]) == 4.0
    assert not chosen.is_wrong(0)


def test_labels_are_moved_apart_and_only_where_they_are_too_close():
    assert apart([0.5, 0.1, 0.52], 0.1) == [0.5, 0.1, 0.6]
    assert apart([3.0, 1.0], 1.5) == [3.0, 1.0]


def tile(rank, objects=1, mistakes=0):
    rows = [("dog", 0.5, 0, 0, 4, 4)] * objects
    verdict = Verdict(np.ones(objects, bool), np.ones(mistakes, bool))
    return Tile(Path(f"{rank}.jpg"), np.zeros((8, 8, 3), np.uint8), found(*rows), 1 / rank, rank, None, verdict)


def candidate(tile):
    """The candidate that a tile shows."""
    items = [{"class_name": name} for name in tile.found.names]
    return RankedImage(tile.rank, tile.score, items, tile.verdict is not None, lambda: tile)


def test_shown_predictions_are_spread_over_the_ranking_and_skip_empty_images():
    candidates = [candidate(tile(rank, objects=rank % 2)) for rank in range(1, 12)]
    assert [one.rank for one in spread(candidates, 3)] == [1, 5, 11]
    assert len(spread(candidates, 99)) == 6


def test_mistakes_are_averaged_over_the_images_whose_truth_is_known():
    unknown = candidate(replace(tile(1), verdict=None))
    assert mistakes_per_image([candidate(tile(1, mistakes=3)), candidate(tile(2, mistakes=0)), unknown]) == 1.5
    assert mistakes_per_image([unknown]) is None


def test_the_outline_of_a_large_mask_has_few_points_and_stays_where_it_is():
    ys, xs = np.indices((2560, 2560))
    disc = (xs - 1280) ** 2 + (ys - 1280) ** 2 < 900**2
    [ring] = mask_outline(disc).rings
    assert len(ring) < 100
    assert np.abs(np.hypot(*(ring - 1280.5).T) - 900).max() < 6


def test_a_large_photo_is_shown_as_large_as_it_is_seen():
    encoded = base64.b64decode(embed(np.zeros((1500, 3000, 3), np.uint8)).partition(",")[2])
    assert cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR).shape == (320, 640, 3)


@pytest.mark.parametrize(("seconds", "text"), [(9.26, "9.3 s"), (232.4, "3 min 52 s"), (60, "1 min 0 s")])
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


class Page(HTMLParser):
    """What a page links to and shows."""

    def __init__(self, text):
        super().__init__()
        self.links, self.pictures, self.text = [], 0, ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "a":
            self.links.append(values["href"])
        self.pictures += tag == "image" and values["href"].startswith("data:image/jpeg;base64,")

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A round of a fake image: a class name that is dangerous in HTML, and a candidate that is no image."""
    folder = tmp_path_factory.mktemp("round")
    names = [*CLASS_NAMES, "<i>&"]
    samples = [*render(4, seed=0), Sample(np.zeros((8, 8, 3), np.uint8), name="no image.jpg", content=b"broken")]
    training = write_training_task(folder / "training", samples[:2], samples[2:3], names, {"epochs": 2})
    candidates = write_candidate_task(
        folder / "unlabelled", samples, [], names, {"mining_algorithm": "entropy"}, run_mining=True, run_infer=True
    )
    assert [run_here(FAKE, env_file) for env_file in (training, candidates)] == [0, 0]
    truth = {samples[1].base_name: samples[1]}
    return Story(Task.load(training), Task.load(candidates), truth=truth, picture=folder / "overview.svg")


def test_the_page_stands_alone_and_shows_every_result(story):
    folder = story.training.env_file.parents[2]
    candidates = read_candidates(story)
    text = write_report(candidates, story, folder / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "://" not in text
    assert "<i>&" not in text
    assert {"overview.svg", "training/out/models/result.yaml", "unlabelled/out/result.tsv"} <= set(page.links)
    assert all((folder / link).is_file() for link in page.links if link != "overview.svg")
    # Two predictions; all four readable images are both at the top and at the bottom of so short a ranking.
    assert page.pictures == 2 + 4 + 4
    assert page.text.count("cannot be decoded") == 2
    assert "gpu_id" not in page.text
    for shown in (
        "0.970",
        "1 min 1 s",
        "2.0 s",
        "fake-tmi on the CPU",
        "mining_algorithm",
        "entropy",
        "Every output follows the platform's contract",
        "AP50 of each class on validation",
    ):
        assert shown in page.text


def test_the_page_shows_what_the_checks_found(story):
    folder = story.training.env_file.parents[2]
    finding = Finding(folder / "monitor.txt", "percent is 0.4", "End with 1")
    text = write_report([], replace(story, findings=[finding]), folder / "report.html").read_text(encoding="utf-8")
    assert "percent is 0.4" in Page(text).text
    assert "End with 1" in Page(text).text


def test_an_image_that_writes_no_curve_is_no_error(story):
    elsewhere = replace(story.training, output=story.training.output | {"root_dir": Path("/nowhere")})
    assert read_training_curve(elsewhere) == []
    assert [epoch.first for epoch in read_training_curve(story.training)] == [0.5, 0.97]
