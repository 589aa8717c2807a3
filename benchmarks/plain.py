"""OpenMMLab's own configuration, trained by its own Runner. Run as a script with the fields of `Plain` as JSON.

What a person changes by hand to train on other data is changed: classes, files, batch size, image size, epochs, and no
weights from the network. Learning rate, warm-up, decay, averages and the end of the mosaic stay as they are written.
Prints the metrics of each epoch as a line of JSON.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.datasets.index import read_training_index
from common.datasets.splits import read_labelled
from common.datasets.stored import leave_splits
from common.mmlab.patches.compat import prepare
from common.task.env import read_env, read_task

PACKAGE: Final = "mmyolo"

prepare(PACKAGE)

from mmengine.config import Config  # noqa: E402  # only now does it keep quiet
from mmengine.hooks import Hook  # noqa: E402
from mmengine.runner import Runner  # noqa: E402

from common.mmlab.fit.classes import set_classes  # noqa: E402
from common.mmlab.fit.config import load_config, plain_batch_norm  # noqa: E402
from common.mmlab.fit.data import Data, set_data, write_data  # noqa: E402
from common.mmlab.fit.image_size import set_image_size  # noqa: E402
from common.mmlab.fit.recipe import set_evaluation, set_runtime  # noqa: E402


@dataclass(frozen=True, slots=True)
class Plain:
    """One training.

    Attributes:
        env_file: env.yaml of a training task, for its data.
        key: name of the configuration.
        folder: scratch.
    """

    env_file: str
    key: str
    folder: str
    seed: int
    epochs: int
    batch: int
    workers: int
    img_size: int

    def config(self, class_names: tuple[str, ...], data: Data) -> Config:
        """The configuration with the changes that every run needs."""
        config = load_config(PACKAGE, self.key)
        set_classes(config, len(class_names))
        set_image_size(config, self.img_size)
        set_data(config, data, class_names, self.batch, self.workers)
        plain_batch_norm(config)
        run = Path(self.folder) / "run"
        set_evaluation(config, data, run, interval=1, recall=False)
        set_runtime(config, run, world=1, gpu=False, amp=False)
        config.train_cfg.max_epochs = self.epochs
        config.train_cfg.pop("dynamic_intervals", None)
        config.randomness = {"seed": self.seed}
        return config

    def train(self) -> None:
        """Convert the data and run."""
        task = read_task(read_env(Path(self.env_file)))
        data = Data(Path(self.folder) / "data")
        inputs = task.env.input
        indexes = {"train": inputs.training_index_file, "val": inputs.val_index_file}
        labelled = {name: read_labelled(task, read_training_index(path)) for name, path in indexes.items() if path}
        leave_splits(task, labelled, 0, lambda _: None)
        write_data(task, data)
        runner = Runner.from_cfg(self.config(task.class_names, data))
        runner.register_hook(Printer())
        runner.train()


class Printer(Hook):  # type: ignore[misc]  # mmengine is untyped
    """Prints the metrics."""

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """One line a validation."""
        print(json.dumps({"epoch": runner.epoch, **(metrics or {})}), flush=True)


if __name__ == "__main__":
    Plain(**json.loads(sys.argv[1])).train()
