"""Fits the last epochs of a training, which see whole images instead of mosaics of four."""

from mmengine.config import Config, ConfigDict

from common.mmlab.fit.timeline import Timeline

FEWEST_EPOCHS = 4
"""Length of the shortest run that closes its mosaic: an epoch without would be more than a quarter of a shorter one."""


def close_mosaic(config: Config, timeline: Timeline) -> int | None:
    """Fit the hooks that change the training pipeline, in place.

    Their number is in proportion: 15 of 300 become 5 of 100. It is at least one, from `FEWEST_EPOCHS` on.

    Returns:
        The first epoch without mosaic, counted from 0; None where the configuration has no such hook, or the run is
        too short.
    """
    close = None
    for hook in config.get("custom_hooks") or []:
        kind = hook.type.rpartition(".")[2]
        if kind == "PipelineSwitchHook":
            hook.switch_epoch = close = timeline.epochs - _last(timeline.own - hook.switch_epoch, timeline)
        elif kind == "YOLOXModeSwitchHook":
            close = timeline.epochs - _fit_yolox(hook, timeline)
    return close if close != timeline.epochs else None


def _fit_yolox(hook: ConfigDict, timeline: Timeline) -> int:
    """Number of epochs without mosaic.

    mmdet's hook closes the mosaic one epoch earlier than its argument says. mmyolo's own, besides, never closes it in a
    training that was resumed later, so ours replaces it.
    """
    last = _last(hook["num_last_epochs"], timeline)
    if "new_train_pipeline" in hook:
        hook.update(type="YOLOXModeSwitchOnResumeHook", num_last_epochs=last)
    else:
        hook["num_last_epochs"] = last - 1
    return last


def _last(own: int, timeline: Timeline) -> int:
    """Number of final epochs without mosaic, scaled from the configuration's own."""
    return max(timeline.epoch(own), 1) if timeline.epochs >= FEWEST_EPOCHS else 0
