"""Fits warm-up and decay of the learning rate to the length of a run."""

from mmengine.config import Config, ConfigDict

from common.mmlab.fit.timeline import Timeline

WARM_UPS = ("LinearLR", "ConstantLR", "QuadraticWarmupLR")
"""Schedulers that warm up when they begin with the run."""

SHORTEST_WARM_UP = 2
"""Iterations. After a shorter warm-up, mmengine's schedulers never restore the full learning rate."""


def fit_param_schedulers(config: Config, timeline: Timeline) -> int:
    """Fit `param_scheduler`, or the hook that replaces it, in place.

    Whatever counted epochs then counts iterations, in proportion: a cosine that fills the second half of 300
    epochs fills the second half of three as well, and a step at epoch 8 of 12 comes after two thirds of one epoch.

    Returns:
        Iterations of the warm-up.
    """
    hook = config.default_hooks.get("param_scheduler", {})
    if hook.get("type", "").endswith("YOLOv5ParamSchedulerHook"):
        return _fit_yolov5(hook, timeline)
    if hook.get("type", "").endswith("PPYOLOEParamSchedulerHook"):
        return _fit_ppyoloe(hook, timeline)
    return _fit_schedulers(config, timeline)


def _fit_yolov5(hook: ConfigDict, timeline: Timeline) -> int:
    own = max(hook.get("warmup_epochs", 3) * timeline.epoch_iters, hook.get("warmup_mim_iter", 1000))
    warm_up = max(timeline.warm_up(own), 1)
    hook["type"] = "YOLOv5ParamSchedulerByIterHook"
    hook.update(max_epochs=timeline.epochs, warmup_epochs=0, warmup_mim_iter=warm_up)
    return warm_up


def _fit_ppyoloe(hook: ConfigDict, timeline: Timeline) -> int:
    """Fit its cosine, which is cut off: it would end after 1.2 times the run."""
    warm_up = max(timeline.warm_up(max(hook["warmup_epochs"] * timeline.epoch_iters, hook["warmup_min_iter"])), 1)
    total = hook["total_epochs"] * timeline.epochs / timeline.own
    hook.update(total_epochs=total, warmup_epochs=0, warmup_min_iter=warm_up)
    return warm_up


def _fit_schedulers(config: Config, timeline: Timeline) -> int:
    fitted = []
    own_end, end = None, 0  # of the warm-up
    for scheduler in config.get("param_scheduler") or []:
        own_begin, by_epoch = scheduler.get("begin", 0), scheduler.get("by_epoch", True)
        if scheduler.type.rpartition(".")[2] in WARM_UPS and own_begin == 0:
            own_end = (scheduler.end, by_epoch)
            end = timeline.warm_up(scheduler.end * (timeline.epoch_iters if by_epoch else 1))
            end = end if end >= SHORTEST_WARM_UP else 0
            if end:
                fitted.append({**scheduler, "begin": 0, "end": end})
        else:
            begin = end if (own_begin, by_epoch) == own_end else timeline.iteration(own_begin)
            fitted.append(_placed(scheduler, timeline, min(begin, timeline.iters - 1)))
    for scheduler in fitted:
        scheduler.pop("convert_to_iter_based", None)
        scheduler["by_epoch"] = False
    config.param_scheduler = fitted
    return end


def _placed(scheduler: ConfigDict, timeline: Timeline, begin: int) -> ConfigDict:
    """Place a scheduler in the run. Steps extend to the end: some configurations stop before their last one."""
    own_begin = scheduler.get("begin", 0)
    own_end = timeline.own if "milestones" in scheduler else scheduler.get("end", timeline.own)
    end = max(timeline.iteration(own_end), begin + 1)
    placed = {**scheduler, "begin": begin, "end": end}
    if "T_max" in scheduler:
        placed["T_max"] = max(round(scheduler["T_max"] * (end - begin) / (own_end - own_begin)), 1)
    if "milestones" in scheduler:
        placed["milestones"] = _increasing([timeline.iteration(moment) for moment in scheduler["milestones"]])
    return placed


def _increasing(moments: list[int]) -> list[int]:
    """Move moments so that each is after the previous one, the first at 1 or later."""
    increasing: list[int] = []
    for moment in moments:
        increasing.append(max(moment, increasing[-1] + 1 if increasing else 1))
    return increasing
