"""Settings of mining, from the hyper-parameters of a task."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """Parameters of all algorithms under one name each. An image that does not have one leaves its default.

    Attributes:
        task_id: seed of everything random.
        class_weights: parameter `class_distribution_scores`, one weight per class. A missing one counts as 1.0, a
            surplus one is ignored.
        passes: parameter `mcd_iterations`: forward passes with dropout.
        superpixels: parameter `superpixel_algorithm`, one of `superpixels.NAMES`.
        most_superpixels: parameter `max_superpixel_per_image`.
        kept_images: parameter `max_kept_mining_image`: number of images that will be labelled.
        topk: parameter `topk_superpixel_score`: regions per image that count in any case.
        class_balance: whether regions of frequent classes count less.
        radius: parameter `ripu_region_radius`, in pixels of the model's input.
    """

    task_id: str = ""
    class_weights: tuple[float, ...] = ()
    passes: int = 10
    superpixels: str = "slico"
    most_superpixels: int = 1024
    kept_images: int = 5000
    topk: int = 3
    class_balance: bool = True
    radius: int = 1


NO_PARAMETERS: Final = MiningSettings()
"""Settings of an image without parameters of mining."""
