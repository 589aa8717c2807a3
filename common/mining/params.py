"""Hyper-parameters of mining that all images of detectors share."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from common.task.params import in_any_case, parameter
from common.task.parsed import AS_TYPED, Parsed, parsed_by


def mining_algorithm_parameter(default: str) -> Any:
    """Declare `mining_algorithm`, with the default of the image."""
    return parameter(
        default,
        "random, aldd, cald or entropy; aldd suits one class, entropy several",
        "挖掘算法：random、aldd、cald 或 entropy；单类检测建议 aldd，多类检测建议 entropy",
    )


def class_weights_parameter() -> Any:
    """Declare `class_distribution_scores`: class weights, by the name that the predecessors gave them."""
    return parameter(
        "",
        "class weights for aldd, separated by commas, such as 1.0,1.0,0.1; missing ones count as 1.0",
        "aldd 的类别权重，以逗号分隔，如 1.0,1.0,0.1；缺少的按 1.0 计",
    )


def parse_class_weights(text: str) -> tuple[float, ...]:
    """Parse `1.0, 0.5` to (1.0, 0.5).

    Raises:
        ValueError: a weight is not a number, or is negative.
    """
    try:
        weights = tuple(float(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        weights = (math.nan,)
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        raise ValueError(f"{text!r} is not allowed (numbers >= 0 separated by commas, such as 1.0,1.0,0.1)")
    return weights


def _text(value: object) -> object:
    """Turn a list or a lone number, as YAML may read it, back into the text that people type."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


_Names = Literal["aldd", "cald", "entropy", "random"]

AlgorithmName = Annotated[_Names, in_any_case(_Names)]
"""A key of `mining.registry.DETECTION`, in any case."""

ClassWeights = Annotated[Parsed[tuple[float, ...]], parsed_by(parse_class_weights), BeforeValidator(_text), AS_TYPED]
"""Text in the format of `parse_class_weights`, and the weights."""
