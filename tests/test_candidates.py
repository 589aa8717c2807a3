"""What an inference or mining task hands back, put together from its chunks."""

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from fakes import StubPredictor, write_images, write_task

from common.contract import ObjectType
from common.errors import DatasetError, ImageError
from common.loop.job import job_of, read_candidates, shards_of
from common.loop.loop import run_rank
from common.loop.merge import merge
from common.results.objects import OBJECTS
from common.results.records import Record
from common.task.env import Task, read_env, read_task
from common.task.params import CandidateOptions

COUNT = 11
OPTIONS = CandidateOptions("entropy", batch_size=3, workers=2, max_bad_images=0.3)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.loop.shards.CHUNK_SIZE", 4)


def task_of(root: Path, images: list[Path], *verbs: str, **env: Any) -> Task:
    return read_task(read_env(write_task(root, *verbs, images=images, env=env)))


def finish(task: Task, ranks: int = 1, options: CandidateOptions = OPTIONS) -> tuple[bytes | None, bytes | None]:
    """Run all ranks and the merge; the bytes of infer-result.json and result.tsv."""
    candidates = read_candidates(task)
    job = job_of(task, options)
    shards = shards_of(task, len(candidates))
    arguments = [(candidates, job, StubPredictor(), shards, lambda _: None) for _ in range(ranks)]
    threads = [threading.Thread(target=run_rank, args=each) for each in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    merge(task, candidates, job, lambda _: None)
    output = task.env.output
    return tuple(
        path.read_bytes() if path.exists() else None for path in (output.infer_result_file, output.mining_result_file)
    )


def write_records(task: Task, records: list[Record]) -> None:
    shards = shards_of(task, len(records))
    for chunk in shards.chunks:
        shards.write(chunk, [records[i] for i in shards.span(chunk)])
    merge(task, read_candidates(task), job_of(task, OPTIONS), lambda _: None)


def ranking(task: Task) -> list[str]:
    lines = task.env.output.mining_result_file.read_text(encoding="utf-8").splitlines()
    return [Path(line.split("\t")[0]).name for line in lines]


@pytest.mark.parametrize(
    ("verbs", "written"),
    [(["infer"], [True, False]), (["mining"], [False, True]), (["mining", "infer"], [True, True])],
)
def test_what_was_asked_for_is_written_and_nothing_else(tmp_path: Path, verbs: list[str], written: list[bool]) -> None:
    images = write_images(tmp_path / "in/assets", COUNT)
    results = finish(task_of(tmp_path, images, *verbs))
    assert [result is not None for result in results] == written


def test_every_candidate_is_in_both_results(tmp_path: Path) -> None:
    names = ["a b.JPG", "图片", "x.tar.gz", "UPPER.PNG"]
    made = write_images(tmp_path / "in/assets", COUNT)
    images = [path.rename(path.with_name(name)) for path, name in zip(made, names, strict=False)] + made[len(names) :]
    images[5].write_bytes(b"broken")
    inferred, mined = finish(task_of(tmp_path, images, "mining", "infer"))
    assert list(json.loads(inferred)["detection"]) == [path.name for path in images]
    assert {line.split("\t")[0] for line in mined.decode().splitlines()} == {str(path) for path in images}
    assert json.loads(inferred)["detection"][images[5].name] == {"boxes": []}
    assert mined.decode().splitlines()[-1].startswith(str(images[5]))


@pytest.mark.parametrize("ranks", [2, 3])
def test_the_bytes_do_not_depend_on_the_number_of_ranks(tmp_path: Path, ranks: int) -> None:
    images = write_images(tmp_path / "assets", COUNT)
    one = finish(task_of(tmp_path / "one", images, "mining", "infer"))
    assert finish(task_of(tmp_path / "many", images, "mining", "infer"), ranks) == one


def test_inference_gives_the_same_bytes_with_and_without_mining(tmp_path: Path) -> None:
    images = write_images(tmp_path / "assets", COUNT)
    both = finish(task_of(tmp_path / "both", images, "mining", "infer"))
    assert finish(task_of(tmp_path / "infer", images, "infer"))[0] == both[0]
    assert finish(task_of(tmp_path / "mining", images, "mining"))[1] == both[1]


def test_the_ranking_does_not_depend_on_the_order_of_the_index(tmp_path: Path) -> None:
    images = write_images(tmp_path / "assets", COUNT)
    first = finish(task_of(tmp_path / "a", images, "mining"))
    assert finish(task_of(tmp_path / "b", images[::-1], "mining")) == first


def test_an_image_that_is_listed_twice_counts_once(tmp_path: Path) -> None:
    images = write_images(tmp_path / "in/assets", 3)
    task = task_of(tmp_path, [*images, images[0]], "mining", "infer")
    _, mined = finish(task)
    assert len(mined.splitlines()) == 3
    assert read_candidates(task) == [str(image) for image in images]


def test_of_two_images_with_one_name_the_first_has_the_objects(tmp_path: Path) -> None:
    images = [path.rename(path.parent / "x.png") for folder in "ab" for path in write_images(tmp_path / folder, 1)]
    task = task_of(tmp_path, images, "infer")
    write_records(task, [Record(), Record(bad="another")])
    text = task.env.output.infer_result_file.read_text(encoding="utf-8")
    assert text.count("x.png") == 1


def test_platform_1_1_gets_the_key_that_it_reads(tmp_path: Path) -> None:
    task = task_of(tmp_path, write_images(tmp_path / "in/assets", 2), "infer", protocol_version=None)
    inferred, _ = finish(task)
    assert {tuple(image) for image in json.loads(inferred)["detection"].values()} == {("annotations",)}


@pytest.mark.parametrize("scores", [[0.5, 0.0, 0.2], [-1.3, -0.9, -1.0], [2e9, 2e9, 2e9], [0.0, 0.0, 0.0]])
@pytest.mark.parametrize("bad", ["0.png", "1.png", "2.png", "3.png"])  # whatever the lot says
def test_an_image_that_cannot_be_used_is_the_last_to_label(tmp_path: Path, scores: list[float], bad: str) -> None:
    names = ["0.png", "1.png", "2.png", "3.png"]
    task = task_of(tmp_path, [Path("/in/assets") / name for name in names], "mining")
    rest = iter(scores)
    write_records(task, [Record(bad="empty file") if name == bad else Record(score=next(rest)) for name in names])
    assert ranking(task)[-1] == bad


def test_all_bad_images_are_counted_together_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    images = [Path(f"/in/assets/{i}.png") for i in range(COUNT)]
    task = task_of(tmp_path, images, "mining")
    bad = [Record(bad=f"/in/assets/{i}.png: empty file") for i in range(4)]  # one of them in each chunk, but one
    write_records(task, [*bad[:3], *[Record()] * 8])
    assert "3 of 11 images could not be used" in caplog.text
    with pytest.raises(ImageError, match=r"4 of 11 images.*max_bad_images 0\.3"):
        write_records(task, [*bad, *[Record()] * 7])


def test_a_task_without_candidates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"candidate-index\.tsv: no image"):
        read_candidates(task_of(tmp_path, [], "infer"))
    with pytest.raises(DatasetError, match="candidate_index_file"):
        read_candidates(task_of(tmp_path, [], "training"))


def test_the_job_follows_the_verbs_and_the_parameters(tmp_path: Path) -> None:
    mining = job_of(task_of(tmp_path, [], "mining"), OPTIONS)
    assert (mining.objects, mining.algorithm.name, mining.needs_model) == (None, "entropy", True)
    infer = job_of(task_of(tmp_path, [], "infer"), OPTIONS)
    assert (infer.objects, infer.algorithm, infer.needs_model) == (OBJECTS[ObjectType.DETECTION], None, True)
    options = mining.options
    rest = (options.batch_size, options.workers, options.max_bad_images, options.mining.task_id)
    assert rest == (3, 2, 0.3, "t0000001000002a1b2c3d4e5")
