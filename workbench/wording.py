"""What the picture and the page call the results of a project: they are others for each object type."""

from dataclasses import dataclass
from typing import Final

from common.contract import PRIMARY_METRIC, ObjectType


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for an object type.

    Attributes:
        metric: the key of a stage that the model is judged by.
        short: it, in one or two words.
        long: it, for people who have not met it.
        second: the next best key of a stage, and what it is.
        curve: names of the two metrics in the training curve.
        step: what the training curve counts.
        mistakes: how many there are, of an image on average.
        scored: whether what is found has a confidence.
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
