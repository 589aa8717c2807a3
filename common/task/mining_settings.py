"""What a task says about mining."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """The parameters of all algorithms under one name each. Those that an image does not have keep their defaults.

    Attributes:
        task_id: seed of everything random.
        class_weights: parameter `class_distribution_scores`, one weight a class. A missing one counts 1.0, a surplus
            one is left out.
        passes: parameter `mcd_iterations`: forward passes with dropout.
        superpixels: parameter `superpixel_algorithm`, one of `superpixels.NAMES`.
        most_superpixels: parameter `max_superpixel_per_image`.
        kept_images: parameter `max_kept_mining_image`: the images that people will label.
        topk: parameter `topk_superpixel_score`: regions of an image that count in any case.
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
"""Of an image that has none."""
