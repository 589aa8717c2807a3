"""`make demo`: one round of active learning, from rendered images to a page about the results."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from common.contract import REGIONS_FOLDER, ObjectType, Verb
from common.results.class_metrics import CLASS_FILE
from common.results.curve import CURVE_FILE
from common.results.training import ATTACHMENTS
from workbench.candidates import read_candidates
from workbench.check import Finding, check_out
from workbench.form import filled_form
from workbench.log import read_run
from workbench.masked import MaskedSample, Rendered, sample_of, write_mask_annotations
from workbench.outputs import read_best_stage, stage_files
from workbench.overview import draw_overview
from workbench.plan import Plan
from workbench.platform import write_candidate_task, write_training_task
from workbench.report import write_report
from workbench.runner import run_image
from workbench.sample import Sample
from workbench.story import Story, duration
from workbench.task import Task
from workbench.wording import WORDING


class DemoError(Exception):
    """The image failed, or its results are not good enough."""


def run_demo(folder: Path, console: Console, plan: Plan) -> None:
    """Renders the data, trains, mines and infers, checks every output and writes the report.

    Args:
        folder: gets `training`, `unlabelled`, `report.html` and `overview.svg`; what an earlier run left there goes.
        console: where the progress and the results are shown.
        plan: image and data.

    Raises:
        DemoError: the image failed, an output breaks the contract, or the model is worse than the plan expects.
    """
    for name in ("training", "unlabelled"):
        shutil.rmtree(folder / name, ignore_errors=True)
    unlabelled = unlabelled_samples(plan)
    training = write_training(folder / "training", plan)
    _run(plan.image, training, console)
    _stop_at(_check(training, console, plan))
    candidates = write_candidate_task(
        folder / "unlabelled",
        _samples(unlabelled),
        stage_files(Task.load(training)),
        plan.class_names,
        filled_form(plan.image, Verb.MINING, plan.mining, plan.object_type),
        run_mining=True,
        run_infer=True,
        object_type=plan.object_type,
    )
    _run(plan.image, candidates, console)
    story = Story(
        training=Task.load(training),
        candidates=Task.load(candidates),
        findings=_check(candidates, console, plan),
        truth={sample_of(each).base_name: each for each in unlabelled if sample_of(each).content is None},
        picture=folder.resolve() / "overview.svg",
    )
    _conclude(story, folder.resolve(), console, plan)


def write_training(folder: Path, plan: Plan) -> Path:
    """Writes the training task, with masks where the plan's images have some; the path of env.yaml."""
    form = filled_form(plan.image, Verb.TRAINING, plan.training, plan.object_type)
    train, val = plan.train(), plan.val()
    env_file = write_training_task(
        folder, _samples(train), _samples(val), plan.class_names, form, object_type=plan.object_type
    )
    if plan.object_type is not ObjectType.DETECTION:
        write_mask_annotations(folder, _masked(train), _masked(val), plan.class_names)
    return env_file


def unlabelled_samples(plan: Plan) -> list[Rendered]:
    """The candidates of the plan, and one file that is not an image."""
    samples = plan.unlabelled()
    first = sample_of(samples[0])
    return [*samples, Sample(first.image, content=first.encoded[:100])]


def _samples(images: Sequence[Rendered]) -> list[Sample]:
    return [sample_of(rendered) for rendered in images]


def _masked(images: Sequence[Rendered]) -> list[MaskedSample]:
    return [rendered for rendered in images if isinstance(rendered, MaskedSample)]


def _run(image: Path, env_file: Path, console: Console) -> None:
    status = run_image(image / "start.py", env_file, console)
    if status != 0:
        raise DemoError(f"{image.name} failed with exit status {status} on {env_file}")


def _check(env_file: Path, console: Console, plan: Plan) -> list[Finding]:
    """Findings in the outputs of a task; they are printed too."""
    findings = check_out(env_file, rotated=plan.rotated)
    for finding in findings:
        console.print(f"- {finding}", soft_wrap=True, markup=False, highlight=False)
    return findings


def _stop_at(findings: Sequence[Finding]) -> None:
    if findings:
        raise DemoError(f"{len(findings)} outputs break the platform's contract")


def _conclude(story: Story, folder: Path, console: Console, plan: Plan) -> None:
    """Writes the report, shows the results and judges them."""
    candidates = read_candidates(story)
    draw_overview(candidates, story, folder / "overview.svg")
    write_report(candidates, story, folder / "report.html")
    for label, path in _outputs(story, folder):
        console.print(f"  {label:<20} {path}", soft_wrap=True, highlight=False, markup=False)
    words = WORDING[plan.object_type]
    reached = read_best_stage(story.both[0])[words.metric]
    times = ", ".join(
        f"{task.title} {duration(seconds)}" for task in story.tasks if (seconds := read_run(task).seconds)
    )
    console.print(f"{words.long} on validation: {reached:.3f} ({times})", highlight=False)
    _stop_at(story.findings)
    if reached < plan.least:
        raise DemoError(f"{words.long} is {reached:.3f}; at least {plan.least} is expected")


def _outputs(story: Story, folder: Path) -> Iterator[tuple[str, Path]]:
    """Every output of the demo with what it is."""
    training, candidates = (task.output for task in story.both)
    yield "page", folder / "report.html"
    yield "picture", folder / "overview.svg"
    yield "training result", training["training_result_file"]
    for file in stage_files(story.both[0]):
        yield "model file", file
    for file in sorted((training["models_dir"] / ATTACHMENTS).glob("*/*")):
        yield "attachment", file
    yield "training curve", training["root_dir"] / CURVE_FILE
    yield "metrics by class", training["root_dir"] / CLASS_FILE
    yield "tensorboard", training["tensorboard_dir"]
    yield "training log", training["executor_log_file"]
    yield "found", candidates["infer_result_file"]
    yield "mining result", candidates["mining_result_file"]
    if (regions := candidates["root_dir"] / REGIONS_FOLDER).is_dir():
        yield "regions to label", regions
    yield "mining + infer log", candidates["executor_log_file"]
