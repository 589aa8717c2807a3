"""Learning rate, mosaic and averages over whole trainings, with the frameworks' own schedulers and hooks."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import HOOKS, PARAM_SCHEDULERS, DefaultScope
from mmlab_tables import OTHERS, ROTATED, Row, rows, table

from common.mmlab.fit.config import load_config
from common.mmlab.fit.learning_rate import base_batch, own_iters, scaled_lr
from common.mmlab.fit.schedule import Schedule, fit_schedule
from common.mmlab.fit.timeline import Timeline
from common.mmlab.patches.compat import prepare, quiet

prepare("mmyolo")
prepare("mmrotate")

TABLE = table()
IMAGES, BATCH = 320, 8
FASTER_RCNN = OTHERS["faster-rcnn"]
COCO, DOTA = 118_287, 12_800


@pytest.fixture(params=rows())
def row(request: pytest.FixtureRequest) -> Row:
    return request.param


FURTHER = [("mmdet", key) for key in OTHERS.values()] + [("mmrotate", key) for key in ROTATED.values()]


@pytest.fixture(params=[*rows(), *(Row(package, key, None, 0, None) for package, key in FURTHER)])
def any_row(request: pytest.FixtureRequest) -> Row:
    return request.param


@dataclass
class FakeRunner:
    """As much of mmengine's Runner as schedulers and hooks look at."""

    epochs: int
    epoch_iters: int
    optim_wrapper: Any = None
    param_schedulers: list | None = None
    epoch: int = 0
    iter: int = 0
    train_dataloader: Any = None
    model: Any = field(default_factory=lambda: SimpleNamespace(bbox_head=SimpleNamespace()))
    logger: Any = field(default_factory=lambda: SimpleNamespace(info=lambda *_: None))

    @property
    def max_epochs(self) -> int:
        return self.epochs


@dataclass(frozen=True)
class Curves:
    """One number an iteration: learning rate and momentum of weights, learning rate of biases."""

    rates: list[float]
    momenta: list[float]
    biases: list[float]


def run(config: Config, schedule: Schedule) -> Curves:
    """Train a convolution for nothing, and watch the optimizer."""
    from mmengine.optim import build_optim_wrapper

    model = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.BatchNorm2d(1))
    curves = Curves([], [], [])
    with quiet(), DefaultScope.overwrite_default_scope(config.default_scope):
        wrapper = build_optim_wrapper(model, Config(config.to_dict()).optim_wrapper)
        schedulers = [
            PARAM_SCHEDULERS.build(dict(each), default_args={"optimizer": wrapper})
            for each in config.get("param_scheduler") or []
        ]
        hook = HOOKS.build(dict(config.default_hooks.param_scheduler))
        runner = FakeRunner(schedule.epochs, schedule.epoch_iters, wrapper, schedulers)
        runner.train_dataloader = range(schedule.epoch_iters)
        hook.before_train(runner)
        for runner.epoch in range(schedule.epochs):
            for batch in range(schedule.epoch_iters):
                hook.before_train_iter(runner, batch, None)
                groups = wrapper.optimizer.param_groups
                curves.rates.append(float(groups[0]["lr"]))
                curves.momenta.append(float(groups[0].get("momentum", 0)))
                curves.biases.append(float(groups[-1]["lr"]))
                wrapper.step()
                hook.after_train_iter(runner, batch, None, None)
                runner.iter += 1
            hook.after_train_epoch(runner)
    return curves


def build_hook(hook: dict) -> Any:
    """As the runner does, which takes the priority for itself."""
    return HOOKS.build({name: value for name, value in hook.items() if name != "priority"})


def fitted(row: Row, epochs: int, images: int = IMAGES, batch: int = BATCH) -> tuple[Config, Schedule]:
    config = row.config()
    return config, fit_schedule(config, epochs=epochs, images=images, batch=batch, world=1)


# --- learning rate ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [2, 10, 100])
def test_the_learning_rate_warms_up_within_a_tenth_and_falls_to_its_own_end(row: Row, epochs: int) -> None:
    config, schedule = fitted(row, epochs)
    curves = run(config, schedule)
    iters = epochs * IMAGES // BATCH
    rates = curves.rates
    assert len(rates) == iters
    assert all(math.isfinite(rate) and rate >= 0 for rate in [*rates, *curves.biases])
    assert schedule.warm_up <= iters / 10
    assert all(before <= after for before, after in pairwise(rates[: schedule.warm_up]))
    assert all(before >= after for before, after in pairwise(rates[schedule.warm_up :]))
    assert max(rates) == pytest.approx(schedule.learning_rate, rel=0.1)
    assert rates[-1] / schedule.learning_rate == pytest.approx(row.final, rel=0.1, abs=2 / iters)


@pytest.mark.parametrize(("epochs", "images"), [(1, 1), (1, 8), (1, 24), (2, 24), (3, 9), (4, 8), (25, 8)])
def test_the_shortest_trainings_have_a_learning_rate_too(any_row: Row, epochs: int, images: int) -> None:
    config, schedule = fitted(any_row, epochs, images)
    rates = run(config, schedule).rates
    assert all(math.isfinite(rate) and 0 <= rate <= schedule.learning_rate * 1.001 for rate in rates)
    assert len(rates) < 3 or max(rates) > schedule.learning_rate / 2


@pytest.mark.parametrize(
    ("key", "shares"),
    [(FASTER_RCNN, [8 / 12, 11 / 12]), (OTHERS["dino"], [11 / 12]), (OTHERS["iterations"], [60 / 90, 80 / 90])],
)
@pytest.mark.parametrize("epochs", [1, 2, 100])
def test_steps_come_at_the_same_share_of_every_training(key: str, shares: list[float], epochs: int) -> None:
    config, schedule = fitted(Row("mmdet", key, None, 0, None), epochs)
    rates = run(config, schedule).rates
    steps = [i for i, (before, after) in enumerate(pairwise(rates), 1) if after < before / 2]
    assert [step / len(rates) for step in steps] == pytest.approx(shares, abs=1 / len(rates))
    assert rates[-1] == pytest.approx(schedule.learning_rate * 0.1 ** len(shares))
    assert config.train_cfg == {"type": "EpochBasedTrainLoop", "max_epochs": epochs, "val_interval": 1}


def test_steps_that_a_configuration_never_reaches_are_reached() -> None:
    """Its scheduler ends at epoch 12 of 36, before the first step."""
    config, schedule = fitted(Row("mmdet", "faster_rcnn/faster-rcnn_r50-caffe-dc5_ms-3x_coco.py", None, 0, None), 36)
    assert run(config, schedule).rates[-1] == pytest.approx(schedule.learning_rate / 100)


def test_mmyolo_biases_warm_up_from_above_and_momentum_from_below() -> None:
    config, schedule = fitted(TABLE["mmyolo yolov5_s"], 100)
    curves = run(config, schedule)
    assert curves.biases[0] == pytest.approx(0.1 * schedule.learning_rate / 0.01)
    assert curves.rates[0] == 0
    assert curves.momenta[0] == 0.8
    assert curves.biases[schedule.warm_up] == pytest.approx(curves.rates[schedule.warm_up])
    assert curves.momenta[schedule.warm_up] == curves.momenta[-1] == 0.937


@pytest.mark.parametrize("name", ["yolov5_s", "yolov6_n", "yolov7_l", "yolov8_n"])
def test_a_training_as_long_as_mmyolos_own_keeps_mmyolos_learning_rates(name: str) -> None:
    """But for the epoch by which its hook is late."""
    row = TABLE[f"mmyolo {name}"]
    own, config = row.config(), row.config()
    for each in (own, config):
        each.default_hooks.param_scheduler.warmup_mim_iter = 10  # or it would take most of such small epochs
    epochs, iters, batch = own.train_cfg.max_epochs, 12, base_batch(config)
    plain = run(own, Schedule(epochs, iters, own.optim_wrapper.optimizer.lr, 0, None, None)).rates
    schedule = fit_schedule(config, epochs=epochs, images=batch * iters, batch=batch, world=1)
    ours = run(config, schedule).rates
    assert schedule.warm_up == 3 * iters
    two_epochs = 2 * math.pi / 2 / epochs * schedule.learning_rate  # where a cosine is steepest
    assert max(abs(a - b) for a, b in zip(ours, plain, strict=True)) < two_epochs


def test_a_training_like_openmmlabs_own_is_left_as_it_is() -> None:
    for row in (TABLE["mmyolo rtmdet_s"], TABLE["mmdet yolox_s"], Row("mmdet", FASTER_RCNN, None, 0, None)):
        own, config = row.config(), row.config()
        epochs, batch = own.train_cfg.max_epochs, base_batch(own)
        iters = math.ceil(COCO / 8 / (batch // 8))
        fit_schedule(config, epochs=epochs, images=COCO, batch=batch // 8, world=8)
        assert config.optim_wrapper == own.optim_wrapper
        for mine, theirs in zip(config.param_scheduler, own.param_scheduler, strict=True):
            scale = iters if theirs.by_epoch else 1
            assert {"type": mine["type"], "begin": mine["begin"], "end": mine["end"]} == {
                "type": theirs.type, "begin": theirs.begin * scale, "end": theirs.end * scale
            }  # fmt: skip
            for name in ("eta_min", "factor", "start_factor", "gamma"):
                assert mine.get(name) == theirs.get(name)
            assert mine.get("T_max") == (theirs.T_max * iters if "T_max" in theirs else None)
            assert mine.get("milestones") == (
                [m * iters for m in theirs.milestones] if "milestones" in theirs else None
            )
        for mine, theirs in zip(config.get("custom_hooks", []), own.get("custom_hooks", []), strict=True):
            assert mine.get("momentum") == theirs.get("momentum")
            assert mine.get("switch_epoch") == theirs.get("switch_epoch")


def test_values_derived_from_the_learning_rate_follow_it() -> None:
    config, schedule = fitted(TABLE["mmyolo rtmdet_s"], 100)
    iters = 100 * IMAGES // BATCH
    assert schedule.learning_rate == pytest.approx(0.004 * math.sqrt(8 / 256) * (300 * COCO / 256 / iters) ** 0.25)
    assert config.param_scheduler[1].eta_min == pytest.approx(schedule.learning_rate * 0.05)
    config, _ = fitted(TABLE["mmyolo yolov5_s"], 100)
    assert config.optim_wrapper.optimizer.batch_size_per_gpu == BATCH


@pytest.mark.parametrize(
    ("package", "key", "images"),
    [
        ("mmyolo", "yolov5/yolov5_s-v61_syncbn_fast_8xb16-300e_coco.py", 128),
        ("mmyolo", "yolov7/yolov7_l_syncbn_fast_8x16b-300e_coco.py", 128),
        ("mmyolo", "yolov5/yolov5_s-v61_fast_1xb12-40e_608x352_cat.py", 12),
        ("mmdet", "rtmdet/rtmdet_s_8xb32-300e_coco.py", 256),  # auto_scale_lr says 16
        ("mmdet", "foveabox/fovea_r101_fpn_gn-head-align_ms-640-800-4xb4-2x_coco.py", 16),
        ("mmdet", "faster_rcnn/faster-rcnn_x101-32x4d_fpn_1x_coco.py", 16),
        ("mmrotate", "rotated_rtmdet/rotated_rtmdet_tiny-3x-dota.py", 8),  # on one GPU
        ("mmrotate", "oriented_rcnn/oriented-rcnn-le90_r50_fpn_1x_dota.py", 2),
    ],
)
def test_the_batch_that_a_learning_rate_is_for_is_known(package: str, key: str, images: int) -> None:
    assert base_batch(load_config(package, key)) == images


def test_without_a_name_the_batch_is_that_of_eight_gpus() -> None:
    config = load_config("mmyolo", "yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py")
    assert base_batch(Config(config.to_dict())) == 128


@pytest.mark.parametrize(
    ("batch", "iters", "rate"),
    [
        (128, 100_000, 0.01),  # as the configuration has it
        (32, 100_000, 0.005),  # a smaller batch: less
        (32, 400_000, 0.005),  # as many images: still so
        (8, 10_000, 0.01 * 10**0.25 / 4),  # a shorter run: not so much less
        (8, 100, 0.01),  # a tiny one: what the configuration has
        (512, 100, 0.01),  # never more
    ],
)
def test_a_learning_rate_falls_with_the_batch_and_less_so_in_a_short_run(batch: int, iters: int, rate: float) -> None:
    assert scaled_lr(0.01, batch, 128, 100_000, iters) == pytest.approx(rate)


def test_the_length_of_a_configurations_own_run_is_that_on_coco_or_dota() -> None:
    config = load_config("mmyolo", "yolov8/yolov8_n_syncbn_fast_8xb16-500e_coco.py")
    timeline = Timeline.of(config, epochs=1, images=8, batch=8, world=1)
    assert own_iters(config, timeline) == pytest.approx(500 * COCO / 128)
    config = load_config("mmrotate", "rotated_rtmdet/rotated_rtmdet_s-3x-dota.py")
    assert own_iters(config, Timeline.of(config, epochs=1, images=8, batch=8, world=1)) == 36 * DOTA / 8
    by_iteration = load_config("mmdet", "retinanet/retinanet_r50_fpn_90k_coco.py")
    assert own_iters(by_iteration, Timeline.of(by_iteration, epochs=1, images=8, batch=8, world=1)) == 90_000


# --- stages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [100, 300])
def test_the_mosaic_closes_for_the_same_share_of_the_epochs(row: Row, epochs: int) -> None:
    _, schedule = fitted(row, epochs)
    if row.last is None:
        assert schedule.close_epoch is None
    else:
        assert epochs - schedule.close_epoch == pytest.approx(row.last * epochs / 100, abs=0 if epochs == 100 else 2)


@pytest.mark.parametrize(("epochs", "close"), [(1, None), (2, None), (3, None), (4, 3), (10, 9), (15, 14), (40, 37)])
def test_short_trainings_keep_the_mosaic_and_longer_ones_close_it_for_an_epoch_at_least(
    epochs: int, close: int | None
) -> None:
    assert fitted(TABLE["mmyolo rtmdet_tiny"], epochs)[1].close_epoch == close


@pytest.mark.parametrize("name", ["mmyolo rtmdet_tiny", "mmyolo yolov8_n", "mmyolo yolox_s", "mmdet yolox_s"])
@pytest.mark.parametrize(("epochs", "start"), [(3, 0), (10, 0), (40, 0), (40, 38), (40, 39)])
def test_the_hooks_close_it_in_that_epoch_also_when_resumed_later(name: str, epochs: int, start: int) -> None:
    config, schedule = fitted(TABLE[name], epochs)
    closed = [epoch for epoch in range(start, epochs) if _closed(config, epochs, start, epoch)]
    close = epochs if schedule.close_epoch is None else schedule.close_epoch
    assert closed == list(range(max(start, close), epochs))


def _closed(config: Config, epochs: int, start: int, epoch: int) -> bool:
    """Whether a training that went on in epoch `start` has closed the mosaic in a later epoch."""
    switched = []
    dataset = SimpleNamespace(pipeline=None, update_skip_type_keys=switched.append)
    runner = FakeRunner(epochs, 1, train_dataloader=SimpleNamespace(dataset=dataset, persistent_workers=False))
    with quiet(), DefaultScope.overwrite_default_scope(config.default_scope):
        hooks = [build_hook(each) for each in config.custom_hooks if "Switch" in each.type]
        for hook in hooks:
            hook.before_train(runner)
        for runner.epoch in range(start, epoch + 1):
            for hook in hooks:
                hook.before_train_epoch(runner)
    head = runner.model.bbox_head
    closed = bool(switched) or dataset.pipeline is not None
    assert getattr(head, "use_l1", getattr(head, "use_bbox_aux", closed)) == closed
    return closed


@pytest.mark.parametrize(
    ("name", "epochs", "first"), [("yolov6_n", 100, 1), ("yolov6_n", 2, 0), ("ppyoloe_plus_s", 100, 38)]
)
def test_the_simple_assigner_of_the_first_epochs_gets_the_same_share(name: str, epochs: int, first: int) -> None:
    config, _ = fitted(TABLE[f"mmyolo {name}"], epochs)
    assert config.model.train_cfg.initial_epoch == first


def test_validation_intervals_of_the_own_run_are_gone(row: Row) -> None:
    config, _ = fitted(row, 10)
    assert "dynamic_intervals" not in config.train_cfg


def test_a_configuration_that_counts_iterations_counts_epochs() -> None:
    config, schedule = fitted(Row("mmdet", OTHERS["iterations"], None, 0, None), 5)
    assert schedule.epoch_iters == 40
    assert config.train_dataloader.sampler.type == "DefaultSampler"
    assert config.log_processor.by_epoch is True


# --- average of the weights ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epochs", "images", "momentum", "gamma"),
    [(300, COCO, 0.0001, 2000), (100, 320, 1 / 160, 40), (2, 24, 0.5, 1)],
)
def test_the_average_looks_back_over_a_share_of_the_run(epochs: int, images: int, momentum: float, gamma: int) -> None:
    config, schedule = fitted(TABLE["mmyolo yolov5_n"], epochs, images)
    hook = next(hook for hook in config.custom_hooks if hook.type == "EMAHook")
    assert hook.momentum == schedule.ema_momentum == pytest.approx(momentum)
    assert hook.gamma == gamma


def test_averages_can_be_built(row: Row) -> None:
    config, _ = fitted(row, 1, 1)
    hook = next(hook for hook in config.custom_hooks if hook.type == "EMAHook")
    with DefaultScope.overwrite_default_scope(config.default_scope):
        average = build_hook(hook)
        average.before_run(SimpleNamespace(model=torch.nn.Linear(1, 1)))
    assert average.ema_model.gamma == 1


# --- in one line -----------------------------------------------------------------------------------------------------


def test_the_log_line_says_it_all() -> None:
    _, schedule = fitted(TABLE["mmyolo rtmdet_tiny"], 100)
    assert str(schedule) == (
        "100 epochs of 40 iterations, learning rate 0.00172 after 400 iterations, weights averaged over 160, "
        "no mosaic in the last 7 epochs"
    )
    assert str(fitted(TABLE["mmyolo yolov8_n"], 10)[1]).endswith(", no mosaic in the last epoch")
    _, schedule = fitted(Row("mmdet", FASTER_RCNN, None, 0, None), 2)
    assert str(schedule) == "2 epochs of 40 iterations, learning rate 0.02 after 8 iterations"


@pytest.mark.parametrize(
    ("images", "batch", "world", "iters"), [(9, 4, 1, 3), (9, 4, 2, 2), (17, 8, 2, 2), (1, 8, 4, 1)]
)
def test_iterations_are_counted_as_the_sampler_deals_images_out(
    images: int, batch: int, world: int, iters: int
) -> None:
    config = TABLE["mmyolo yolov8_n"].config()
    assert fit_schedule(config, epochs=1, images=images, batch=batch, world=world).epoch_iters == iters
