"""Which epochs of a training stay, and that what is published is whole."""

from pathlib import Path

import pytest
import yaml

from common.contract import MAX_STAGES, ObjectType, Verb
from common.results.class_metrics import CLASS_FILE, ClassMetrics, read_classes
from common.results.stages import BestAndLatest, Periodic, Retention, Stages
from common.task.env import Task, read_env, read_task
from workbench.platform import write_training_task
from workbench.shapes import CLASS_NAMES, render


@pytest.fixture
def task(tmp_path: Path) -> Task:
    samples = render(2, seed=0)
    env = write_training_task(tmp_path / "t", samples[:1], samples[1:], CLASS_NAMES, {"export_format": "ark:raw"})
    task = read_task(read_env(env))
    task.scratch.mkdir(parents=True)
    assert (task.object_type, task.verbs) == (ObjectType.DETECTION, {Verb.TRAINING})
    return task


def train(task: Task, retention: Retention, maps: list[float]) -> dict[str, dict]:
    """Publish an epoch with each mAP; the stages of result.yaml. A restart comes in the middle."""
    record = task.scratch / "stages.json"
    stages = Stages(task, record, retention)
    for epoch, value in enumerate(maps, 1):
        if epoch == len(maps) // 2:
            stages = Stages(task, record, retention)
        checkpoint = task.scratch / f"{epoch}.pth"
        checkpoint.write_text(f"epoch {epoch}")
        beside = task.scratch / "config.py"
        beside.write_text("x = 1")
        metrics = {"mAP": value, "mAP50_95": value / 2}
        stages.publish(checkpoint, epoch, metrics, best=stages.beats_best(metrics), beside=(beside,))
    return yaml.safe_load(task.env.output.training_result_file.read_text(encoding="utf-8"))["model_stages"]


def content(task: Task, stage: str) -> str:
    return (task.env.output.models_dir / stage / f"{stage}.pth").read_text()


MAPS = [0.1, 0.5, 0.3, 0.4, 0.2, 0.25]


@pytest.mark.parametrize(
    ("retention", "kept"),
    [
        (Periodic(None), {"best"}),
        (Periodic(4), {"best", "last", "epoch_4"}),
        (BestAndLatest(1), {"best", "last"}),
        (BestAndLatest(2), {"best", "last", "epoch_2", "epoch_4", "epoch_5", "epoch_6"}),
        (BestAndLatest(-1), {"best", "last", *(f"epoch_{i}" for i in range(1, 7))}),
    ],
)
def test_a_retention_keeps_its_epochs(task: Task, retention: Retention, kept: set[str]) -> None:
    stages = train(task, retention, MAPS)
    assert set(stages) == kept
    assert {path.name for path in task.env.output.models_dir.iterdir() if path.is_dir()} == kept
    assert content(task, "best") == "epoch 2"
    assert all(content(task, name) == f"epoch {name[6:]}" for name in kept if name.startswith("epoch_"))
    if "last" in kept:
        assert content(task, "last") == "epoch 6"


def test_the_platform_never_gets_more_stages_than_it_takes(task: Task) -> None:
    stages = train(task, BestAndLatest(-1), [*MAPS, *[0.01 * i for i in range(20)]])
    assert len(stages) == MAX_STAGES
    assert {"best", "last", "epoch_2", "epoch_4", "epoch_26", "epoch_25"} <= set(stages)


def test_where_the_platforms_metric_is_equal_the_finer_one_decides(task: Task) -> None:
    stages = Stages(task, task.scratch / "stages.json", BestAndLatest(1))
    (task.scratch / "1.pth").write_text("")
    stages.publish(task.scratch / "1.pth", 1, {"mAP": 1.0, "mAP50_95": 0.5}, best=True)
    assert stages.beats_best({"mAP": 1.0, "mAP50_95": 0.6})
    assert not stages.beats_best({"mAP": 1.0, "mAP50_95": 0.5})
    assert not stages.beats_best({"mAP": float("nan"), "mAP50_95": 0.9})


def test_the_metrics_by_class_are_those_of_the_best_stage_after_a_restart_too(task: Task) -> None:
    record, table = task.scratch / "stages.json", task.env.output.root_dir / CLASS_FILE
    (task.scratch / "1.pth").write_text("")
    told = {}
    for step, value in enumerate((0.2, 0.5, 0.3), 1):
        stages = Stages(task, record, BestAndLatest(1))
        metrics = {"mAP": value, "mAP50_95": 0.1}
        classes = [ClassMetrics("disc", value, 0.1, 3), ClassMetrics("star", None, None, 0)]
        best = stages.beats_best(metrics)
        stages.publish(task.scratch / "1.pth", step, metrics, best=best, classes=classes)
        told[step] = read_classes(table)[0].first
    assert told == {1: 0.2, 2: 0.5, 3: 0.5}
    table.unlink()
    Stages(task, record, BestAndLatest(1)).replace_file("last", task.scratch / "1.pth")
    assert read_classes(table) == [ClassMetrics("disc", 0.5, 0.1, 3), ClassMetrics("star", None, None, 0)]


def test_files_beside_the_weights_belong_to_the_stage(task: Task) -> None:
    assert train(task, BestAndLatest(1), MAPS)["best"]["files"] == ["best.pth", "config.py"]


def test_attachments_belong_to_no_stage_and_stay(task: Task) -> None:
    stages = Stages(task, task.scratch / "stages.json", BestAndLatest(1))
    weights, note = task.scratch / "1.pth", task.scratch / "note.txt"
    for file in (weights, note):
        file.write_text(file.name)
    stages.publish(weights, 1, {"mAP": 0.5, "mAP50_95": 0.5}, best=True)
    stages.attach("notes", [note])
    stages.replace_file("best", weights)
    result = yaml.safe_load(task.env.output.training_result_file.read_text(encoding="utf-8"))
    assert result["attachments"] == {"notes": ["note.txt"]}
    assert (task.env.output.models_dir / "attachments" / "notes" / "note.txt").read_text() == "note.txt"
