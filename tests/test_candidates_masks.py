"""What an inference or mining task on masks hands back: the engine's part of segmentation."""

import json
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes import CLASS_NAMES, StubInstances, StubPixels, StubPredictor, StubSemantic, write_images, write_task

from common.contract import ObjectType
from common.images.decode import read_image
from common.images.letterbox import stretch
from common.loop.job import job_of, read_candidates, shards_of
from common.loop.loop import run_rank
from common.loop.merge import merge
from common.masks import rle
from common.mining.registry import INSTANCE, SEMANTIC
from common.mining.ripu import best_windows, score_map
from common.mining.rsal import Regions, regions_score, segment, standard, to_label
from common.predictions import Prediction
from common.task.env import Task, read_env, read_task
from common.task.mining_settings import MiningSettings
from common.task.params import CandidateOptions

COUNT = 9
BAD = 4
SETTINGS = MiningSettings(superpixels="seeds", most_superpixels=20, kept_images=5, topk=2, passes=3)
ALLOWED = (ObjectType.DETECTION, ObjectType.SEMANTIC, ObjectType.INSTANCE)

PREDICTORS: dict[int, Any] = {3: StubSemantic, 4: StubInstances}


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.loop.shards.CHUNK_SIZE", 4)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    made = write_images(tmp_path / "in/assets", COUNT)
    made[BAD].write_bytes(b"broken")
    return made


def finish(
    root: Path, images: list[Path], object_type: int, *verbs: str, mine: str = "", batch: int = 3, **config: Any
) -> tuple[Task, StubPredictor]:
    env_file = write_task(root, *verbs, images=images, config={"object_type": object_type, **config})
    task = read_task(read_env(env_file), ALLOWED)
    options = CandidateOptions(mine, batch, workers=2, max_bad_images=0.3, mining=SETTINGS)
    candidates, job = read_candidates(task), job_of(task, options)
    predictor = PREDICTORS[object_type](least=1)
    run_rank(candidates, job, predictor, shards_of(task, len(candidates)), lambda _: None)
    merge(task, candidates, job, lambda _: None)
    return task, predictor


def document(task: Task) -> dict[str, Any]:
    return json.loads(task.env.output.infer_result_file.read_bytes())


def scores(task: Task) -> dict[str, float]:
    lines = task.env.output.mining_result_file.read_text(encoding="utf-8").splitlines()
    return {Path(name).name: float(score) for name, score in (line.split("\t") for line in lines)}


def decoded(annotation: dict[str, Any], size: tuple[int, int]) -> np.ndarray:
    assert annotation["segmentation"]["size"] == list(size)
    return rle.decode(annotation["segmentation"]["counts"].encode(), size)


def test_every_class_of_an_image_comes_back_at_the_images_own_size(tmp_path: Path, images: list[Path]) -> None:
    task, _ = finish(tmp_path, images, 3, "infer")
    content = document(task)
    assert [entry["file_name"] for entry in content["images"]] == [path.name for path in images]
    assert content["categories"] == [{"id": i, "name": name} for i, name in enumerate(CLASS_NAMES)]
    for number in (0, 1, 5):
        image = read_image(images[number])
        labels = StubSemantic().predict(stretch(image, 32).pixels[None], class_maps=False)[0].pixels
        expected = labels.labels(image.shape[:2])
        found = {
            each["category_id"]: decoded(each, image.shape[:2])
            for each in content["annotations"]
            if each["image_id"] == number + 1
        }
        assert found.keys() == {0, 1}  # and no background
        assert all(np.array_equal(found[k], expected == k) for k in found)


def test_a_task_without_class_names_gets_those_of_the_model(tmp_path: Path, images: list[Path]) -> None:
    named, _ = finish(tmp_path / "named", images, 3, "infer")
    nameless, _ = finish(tmp_path / "nameless", images, 3, "infer", class_names=[])
    first, second = document(named), document(nameless)
    names = [{entry["id"]: entry["name"] for entry in content["categories"]} for content in (first, second)]
    assert set(names[1].values()) == set(CLASS_NAMES)
    a, b = (
        [(names[i][each["category_id"]], each["segmentation"]) for each in content["annotations"]]
        for i, content in enumerate((first, second))
    )
    assert a == b


def test_mask_box_and_score_are_of_the_same_object(tmp_path: Path, images: list[Path]) -> None:
    task, _ = finish(tmp_path, images, 4, "infer")
    predictor = StubInstances(least=1)
    seen = 0
    for number in (0, 1, 2, 3):
        image = read_image(images[number])
        prepared = predictor.prepare(image)
        [prediction] = predictor.predict(prepared.pixels[None], class_maps=False)
        found = prepared.placement.to_image(prediction.detections)
        for each in document(task)["annotations"]:
            if each["image_id"] != number + 1:
                continue
            [row] = np.flatnonzero(np.abs(found.scores - each["confidence"]) < 1e-5)
            mask = decoded(each, image.shape[:2])
            x, y, w, h = each["bbox"]
            assert each["category_id"] == found.classes[row]
            assert each["area"] == mask.sum() == mask[y : y + h, x : x + w].sum()
            x1, y1, x2, y2 = found.boxes[row]
            assert x >= x1 - 0.5
            assert y >= y1 - 0.5
            assert x + w <= x2 + 0.5
            assert y + h <= y2 + 0.5
            seen += 1
    assert seen > 4


@pytest.mark.parametrize(("object_type", "algorithms"), [(3, SEMANTIC), (4, INSTANCE)])
def test_each_algorithm_ranks_every_image_and_the_broken_one_last(
    tmp_path: Path, images: list[Path], object_type: int, algorithms: dict[str, Any]
) -> None:
    for name in algorithms:
        together, _ = finish(tmp_path / name, images, object_type, "mining", "infer", mine=name)
        alone, _ = finish(tmp_path / f"{name} alone", images, object_type, "mining", mine=name, batch=1)
        found = scores(together)
        assert found == pytest.approx(scores(alone), rel=1e-4)
        assert found.keys() == {path.name for path in images}
        assert len(set(found.values())) > COUNT // 2
        if algorithms[name].needs_model:
            assert min(found, key=found.__getitem__) == images[BAD].name


def test_mining_and_inference_share_the_forward_pass(tmp_path: Path, images: list[Path]) -> None:
    for name, passes in (("apis", 1), ("entropy", 1), ("maskAL", 1 + SETTINGS.passes)):
        _, predictor = finish(tmp_path / name, images, 4, "mining", "infer", mine=name)
        assert predictor.forwarded == (COUNT - 1) * passes
    _, predictor = finish(tmp_path / "rsal", images, 3, "mining", "infer", mine="RSAL")
    assert predictor.forwarded == COUNT - 1


def test_rsal_measures_the_pool_and_tells_what_to_label(tmp_path: Path, images: list[Path]) -> None:
    task, _ = finish(tmp_path, images, 3, "mining", mine="RSAL")
    good = [path for i, path in enumerate(images) if i != BAD]
    pool = {}
    for path in good:
        image = read_image(path)
        [prediction] = StubSemantic().predict(stretch(image, 32).pixels[None], class_maps=False)
        pool[path] = Regions.of(prediction.pixels.probabilities(), segment(image, SETTINGS))
    measure = standard(list(pool.values()), 3, class_balance=True, kept_images=5, topk=2)
    found = scores(task)
    assert {path.name: found[path.name] for path in good} == pytest.approx(
        {path.name: regions_score(regions, measure) for path, regions in pool.items()}, rel=1e-5
    )
    written = sorted((tmp_path / "out/masks").iterdir())
    first = list(found)[: SETTINGS.kept_images]  # result.tsv is in the order of the ranking
    assert [path.name for path in written] == sorted(f"{name}.png" for name in first)
    for name in first:
        [path] = [each for each in good if each.name == name]
        mask = cv2.imread(str(tmp_path / "out/masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        labels = segment(read_image(path), SETTINGS)
        expected = np.isin(labels, to_label(pool[path], measure))
        assert mask.shape == read_image(path).shape[:2]
        assert set(np.unique(mask)) <= {0, 255}
        assert np.array_equal(mask > 0, expected)


def test_ripu_tells_which_windows_to_label(tmp_path: Path, images: list[Path]) -> None:
    task, _ = finish(tmp_path, images, 3, "mining", mine="RIPU")
    name = next(iter(scores(task)))
    image = read_image(tmp_path / "in/assets" / name)
    [prediction] = StubSemantic().predict(stretch(image, 32).pixels[None], class_maps=False)
    chosen = best_windows(score_map(prediction.pixels.probabilities(), SETTINGS.radius), SETTINGS.radius, SETTINGS.topk)
    assert len(chosen) == SETTINGS.topk
    mask = cv2.imread(str(tmp_path / "out/masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED) > 0
    assert mask.shape == image.shape[:2]
    height, width = mask.shape
    assert all(mask[int((y + 0.5) * height / 32), int((x + 0.5) * width / 32)] for y, x in chosen)
    side = 2 * SETTINGS.radius + 1
    assert mask.mean() <= SETTINGS.topk * (side + 1) ** 2 / 32**2


def test_an_image_of_a_duplicate_name_gets_one_mask(tmp_path: Path) -> None:
    images = [path.rename(path.parent / "x.png") for folder in "ab" for path in write_images(tmp_path / folder, 1)]
    task, _ = finish(tmp_path, images, 3, "mining", "infer", mine="RSAL")
    assert [path.name for path in (tmp_path / "out/masks").iterdir()] == ["x.png.png"]
    assert len(document(task)["images"]) == 1


def test_dropout_is_the_same_in_every_run_of_a_task(tmp_path: Path, images: list[Path]) -> None:
    first, _ = finish(tmp_path / "a", images, 4, "mining", mine="maskAL")
    again, _ = finish(tmp_path / "b", images, 4, "mining", mine="maskAL")
    assert scores(first) == scores(again)


class Watched(StubSemantic):
    """Notices how many maps of probabilities are alive at once."""

    alive = most = 0

    def _look(self, pixels: np.ndarray, class_maps: bool) -> Prediction:
        plain = super()._look(pixels, class_maps)
        return replace(plain, pixels=WatchedPixels(self, plain.pixels.probabilities()))


class WatchedPixels(StubPixels):
    def __init__(self, watch: Watched, probabilities: np.ndarray) -> None:
        super().__init__(probabilities)
        self._watch = watch

    def probabilities(self) -> np.ndarray:
        found = super().probabilities().copy()
        self._watch.alive += 1
        self._watch.most = max(self._watch.most, self._watch.alive)
        weakref.finalize(found, self._died)
        return found

    def _died(self) -> None:
        self._watch.alive -= 1


@pytest.mark.parametrize("mine", ["entropy", "RSAL", "RIPU"])
def test_maps_of_all_pixels_are_in_memory_for_one_image_at_a_time(
    tmp_path: Path, images: list[Path], monkeypatch: pytest.MonkeyPatch, mine: str
) -> None:
    watched = Watched()
    monkeypatch.setitem(PREDICTORS, 3, lambda least: watched)
    finish(tmp_path, images, 3, "mining", "infer", mine=mine, batch=8)
    assert (watched.most, watched.alive) == (1, 0)
