"""Words of the picture and the page for the results of a project, per object type."""

from dataclasses import dataclass
from typing import Final

from common.contract import PRIMARY_METRIC, ObjectType


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for an object type.

    Attributes:
        metric: the key of a stage that the model is judged by.
        short: its name, in one or two words.
        long: its name, for people who do not know it.
        second: the second most important key of a stage, and its name.
        curve: names of the two metrics in the training curve.
        step: unit of the training curve.
        mistakes: text for the mean number of mistakes per image.
        scored: whether predictions have a confidence.
    """

    metric: str
    short: str
    long: str
    second: tuple[str, str]
    curve: tuple[str, str]
    step: str
    mistakes: str
    scored: bool = True


WORDING: Final = {
    ObjectType.DETECTION: Wording(
        metric=PRIMARY_METRIC[ObjectType.DETECTION],
        short="AP50",
        long="AP at IoU 0.5",
        second=("mAP50_95", "AP at IoU 0.5 to 0.95"),
        curve=("AP50", "AP50:95"),
        step="epoch",
        mistakes="{:.1f} mistakes per image",
    ),
    ObjectType.INSTANCE: Wording(
        metric=PRIMARY_METRIC[ObjectType.INSTANCE],
        short="mask AP50",
        long="AP of masks at IoU 0.5",
        second=("maskAP50_95", "AP of masks at IoU 0.5 to 0.95"),
        curve=("AP50", "AP50:95"),
        step="epoch",
        mistakes="{:.1f} mistakes per image",
    ),
    ObjectType.SEMANTIC: Wording(
        metric=PRIMARY_METRIC[ObjectType.SEMANTIC],
        short="mIoU",
        long="mean IoU of the classes",
        second=("mAcc", "mean accuracy of the classes"),
        curve=("mIoU", "mAcc"),
        step="iteration",
        mistakes="{:.1f} % of the pixels wrong",
        scored=False,
    ),
}
"""By object type."""
