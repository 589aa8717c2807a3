"""The seeded faults: one changed line each, of the kind that a tired engineer writes and a reviewer overlooks."""

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        what: what is wrong then, for people.
        file: relative to the repository.
        right: the text as it stands; it occurs once.
        wrong: what replaces it.
        tests: what should notice, as pytest takes it.
    """

    what: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


FAULTS = (
    # contract and errors
    Fault(
        "two codes are exchanged",
        "common/contract.py",
        "DATASET = 300002",
        "DATASET = 300003",
        ("tests/test_errors.py",),
    ),
    Fault(
        "a stop looks like a failure",
        "common/contract.py",
        "EXIT_STOPPED: Final = 143",
        "EXIT_STOPPED: Final = 1",
        ("tests/test_executor.py", "tests/test_errors.py"),
    ),
    Fault(
        "a plain export is taken for another format",
        "common/contract.py",
        'DEFAULT_EXPORT_FORMAT: Final = "voc:raw"',
        'DEFAULT_EXPORT_FORMAT: Final = "ark:raw"',
        ("tests/test_env.py", "tests/test_executor.py"),
    ),
    # task
    Fault(
        "a key that the form dropped gets its default",
        "common/task/params.py",
        "return {**droppable, **given}",
        "return dict(given)",
        ("tests/test_params.py",),
    ),
    Fault(
        "two synonyms may differ",
        "common/task/params.py",
        "if any(value != values[0] for value in values[1:]):",
        "if any(value == values[0] for value in values[1:]):",
        ("tests/test_params.py",),
    ),
    Fault(
        "a task keeps the resume folder of another one",
        "common/task/env.py",
        '"config": self.config,',
        '"config": {},',
        ("tests/test_env.py",),
    ),
    Fault(
        "a training runs together with mining",
        "common/task/env.py",
        "if Verb.TRAINING in verbs and len(verbs) > 1:",
        "if Verb.TRAINING in verbs and len(verbs) > 2:",
        ("tests/test_env.py",),
    ),
    # run
    Fault(
        "progress goes backwards",
        "common/run/monitor.py",
        'if f"{percent:.4f}" <= f"{self._percent:.4f}":',
        'if f"{percent:.4f}" == f"{self._percent:.4f}":',
        ("tests/test_monitor.py",),
    ),
    Fault(
        "a message with a tab adds a field",
        "common/run/monitor.py",
        'message = " ".join(self.message.split())',
        "message = self.message",
        ("tests/test_monitor.py",),
    ),
    Fault(
        "a failure takes the progress back",
        "common/run/monitor.py",
        "self._percent = max(self._percent, last.percent)",
        "self._percent = min(self._percent, last.percent)",
        ("tests/test_monitor.py", "tests/test_executor.py"),
    ),
    Fault(
        "the latest failure of the ranks is reported, which is only a consequence",
        "common/run/launch.py",
        "first = min(left, key=lambda failure: failure.timestamp)",
        "first = max(left, key=lambda failure: failure.timestamp)",
        ("tests/test_worker.py",),
    ),
    Fault(
        "claims of a killed rank stay",
        "common/run/parent.py",
        "    shards_of(task, 0).release_claims()\n",
        "",
        ("tests/test_executor.py",),
    ),
    Fault(
        "mistakes in annotations are left to the ranks",
        "common/run/checks.py",
        "return {name: labelled for name, labelled in read.items() if labelled is not None}",
        "return {}",
        ("tests/test_executor.py",),
    ),
    # loop
    Fault(
        "two ranks take the same chunk",
        "common/loop/shards.py",
        "os.O_CREAT | os.O_EXCL",
        "os.O_CREAT",
        ("tests/test_inference.py", "tests/test_shards.py"),
    ),
    Fault(
        "a finished chunk is predicted again",
        "common/loop/shards.py",
        "if not self.finished(chunk) and self._take(chunk):",
        "if self._take(chunk):",
        ("tests/test_inference.py", "tests/test_shards.py"),
    ),
    Fault(
        "records come in the order in which they were predicted",
        "common/loop/loop.py",
        "return (records[i] for i in sorted(records))",
        "return iter(records.values())",
        ("tests/test_inference.py",),
    ),
    Fault(
        "an image that could not be used does not come last",
        "common/loop/merge.py",
        "worst = least - max(1.0, abs(least))",
        "worst = least",
        ("tests/test_candidates.py", "tests/test_candidates_masks.py"),
    ),
    # datasets, images, boxes
    Fault(
        "the max corner of ark stays inclusive",
        "common/datasets/objects.py",
        "return xmin, ymin, xmax + 1, ymax + 1",
        "return xmin, ymin, xmax, ymax",
        ("tests/test_datasets_annotations.py",),
    ),
    Fault(
        "objects move to another image where one is left out",
        "common/datasets/dataset.py",
        "np.repeat(np.arange(len(keep)), stops - starts)",
        "self.image_index[rows]",
        ("tests/test_datasets_writers.py", "tests/test_datasets_annotations.py", "tests/test_datasets_masks.py"),
    ),
    Fault(
        "a truncated JPEG is a picture with a grey half",
        "common/images/decode.py",
        "return content.rfind(JPEG_END, place) < 0",
        "return False",
        ("tests/test_images_decode.py",),
    ),
    Fault(
        "boxes come back half a border away",
        "common/images/letterbox.py",
        "-self.offset_x / self.scale_x",
        "-self.offset_x",
        ("tests/test_images_letterbox.py",),
    ),
    Fault(
        "boxes are not clipped to the image",
        "common/boxes/upright.py",
        "return clip(np.hstack([corners.min(axis=1), corners.max(axis=1)]), size)",
        "return np.hstack([corners.min(axis=1), corners.max(axis=1)])",
        ("tests/test_images_letterbox.py", "tests/test_results_detection.py"),
    ),
    # results
    Fault(
        "scores rank the other way round",
        "common/results/mining.py",
        "rounded.sort(key=lambda item: (-item[1],",
        "rounded.sort(key=lambda item: (item[1],",
        ("tests/test_results_mining.py",),
    ),
    Fault(
        "a thin box has no width",
        "common/results/detection.py",
        "sides = np.maximum(corners[:, 2:] - corners[:, :2], 1)",
        "sides = np.maximum(corners[:, 2:] - corners[:, :2], 0)",
        ("tests/test_results_detection.py",),
    ),
    Fault(
        "result.yaml has more stages than the platform takes",
        "common/results/stages.py",
        "return [stage for stage in stages if stage.name in wanted[:MAX_STAGES]]",
        "return [stage for stage in stages if stage.name in wanted[: MAX_STAGES + 1]]",
        ("tests/test_results_stages.py",),
    ),
    Fault(
        "NaN is a metric",
        "common/results/training.py",
        "return min(max(float(value), 0.0), 1.0) if math.isfinite(value) else 0.0",
        "return float(value)",
        ("tests/test_results_training.py", "tests/test_results_stages.py"),
    ),
    Fault(
        "category ids of masks begin with 1",
        "common/results/segmentation.py",
        "ids = {name: index for index, name in enumerate(class_names)}",
        "ids = {name: index for index, name in enumerate(class_names, 1)}",
        ("tests/test_results_segmentation.py", "tests/test_candidates_masks.py"),
    ),
    # mining
    Fault(
        "the direction of an algorithm does not count",
        "common/mining/algorithm.py",
        "return 0.0 - native if algorithm.smaller_is_sooner else native",
        "return native",
        ("tests/test_mining_registry.py", "tests/test_mining_cald.py"),
    ),
    Fault(
        "random: every task labels the same images",
        "common/mining/random.py",
        "return uniform(settings.task_id, evidence.name)",
        'return uniform("", evidence.name)',
        ("tests/test_mining_random.py",),
    ),
    Fault(
        "entropy: the mean over detections instead of the sum",
        "common/mining/entropy.py",
        "evidence.prediction.detections.scores).sum(dtype=float)",
        "evidence.prediction.detections.scores).mean(dtype=float)",
        ("tests/test_mining_entropy.py",),
    ),
    Fault(
        "aldd: a region counts with its mean",
        "common/mining/aldd.py",
        "padded.shape[1] // side, side).max(axis=(1, 3))",
        "padded.shape[1] // side, side).mean(axis=(1, 3))",
        ("tests/test_mining_aldd.py",),
    ),
    Fault(
        "cald: the largest distance instead of the smallest",
        "common/mining/cald.py",
        "np.abs(consistency - BASE_POINT).min()",
        "np.abs(consistency - BASE_POINT).max()",
        ("tests/test_mining_cald.py",),
    ),
    Fault(
        "apis: the doubt about the class does not count",
        "common/mining/apis.py",
        "doubt + _outline(mask)",
        "_outline(mask)",
        ("tests/test_mining_apis.py",),
    ),
    Fault(
        "maskAL: an object seen in few passes is as certain as one seen in all",
        "common/mining/maskal.py",
        "semantic[rows].mean() * spatial * occurrence",
        "semantic[rows].mean() * spatial",
        ("tests/test_mining_maskal.py",),
    ),
    Fault(
        "RIPU: windows overlap",
        "common/mining/ripu.py",
        "left[max(y - 2 * radius, 0) : y + 2 * radius + 1, max(x - 2 * radius, 0) : x + 2 * radius + 1] = 0",
        "left[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1] = 0",
        ("tests/test_mining_ripu.py",),
    ),
    Fault(
        "RSAL: frequent classes count more",
        "common/mining/rsal.py",
        "np.exp(-counts / max(counts.sum(), 1))",
        "np.exp(counts / max(counts.sum(), 1))",
        ("tests/test_mining_rsal.py",),
    ),
    # adapters
    Fault(
        "yolo: an argument that breaks the contract is taken",
        "common/yolo/options.py",
        "if name in REFUSED:",
        "if name in YOLOV5_FLAGS:",
        ("tests/test_yolo_options.py",),
    ),
    Fault(
        "yolo: class maps are logits",
        "common/yolo/predictor.py",
        'scales = raw["scores"].float().sigmoid().split(',
        'scales = raw["scores"].float().split(',
        ("tests/image/test_image_models.py",),
    ),
    Fault(
        "yolo: dropout does not keep the mean",
        "common/yolo/dropout.py",
        ".to(feature) / (1 - RATE)",
        ".to(feature)",
        ("tests/image/test_instance_predictor.py",),
    ),
    Fault(
        "yolo: colours are exchanged",
        "common/yolo/predictor.py",
        ".permute(0, 3, 1, 2).flip(1)",
        ".permute(0, 3, 1, 2)",
        ("tests/image/test_instance_predictor.py", "tests/image/test_image_models.py"),
    ),
    Fault(
        "yolo: the score of an anchored model lacks the objectness",
        "common/yolo/anchored/head.py",
        "scores = given[:, :, BOX : BOX + 1] * given[:, :, BOX + 1 :]",
        "scores = given[:, :, BOX + 1 :]",
        ("tests/image/test_anchored_model.py", "tests/image/test_yolov5_checkpoints.py"),
    ),
    Fault(
        "a model file may name any class",
        "common/weights/unpickler.py",
        "        if kind is None:\n            raise RefusedError.would_run(text)\n",
        "",
        ("tests/image/test_pickles.py",),
    ),
    Fault(
        "mmlab: a name with underscores is not found",
        "common/mmlab/options/catalogue.py",
        '.removesuffix(".py").replace("-", "_")',
        '.removesuffix(".py")',
        ("tests/test_mmlab_configs.py",),
    ),
    Fault(
        "mmlab: the learning rate falls with the batch and not with its root",
        "common/mmlab/fit/learning_rate.py",
        "math.sqrt(batch / base_batch) * math.pow",
        "(batch / base_batch) * math.pow",
        ("tests/image/test_mmlab_schedule.py",),
    ),
    Fault(
        "mmlab: mosaic ends an epoch early",
        "common/mmlab/fit/mosaic.py",
        'hook["num_last_epochs"] = last - 1',
        'hook["num_last_epochs"] = last',
        ("tests/image/test_mmlab_schedule.py",),
    ),
    Fault(
        "mmlab: class maps lack the objectness",
        "common/mmlab/model/class_maps.py",
        "anchors = anchors * factor.float().sigmoid().unsqueeze(2)",
        "anchors = anchors * 1.0",
        ("tests/image/test_mmlab_class_maps.py", "tests/image/test_mmlab_detectors.py"),
    ),
    Fault(
        "mmseg: the last class is never found",
        "common/mmseg/pixels.py",
        "for index in range(1, len(self._logits)):",
        "for index in range(1, len(self._logits) - 1):",
        ("tests/image/test_semantic_predictor.py",),
    ),
    Fault(
        "mmseg: ignored pixels weaken the loss",
        "common/mmseg/classes.py",
        'mapping["avg_non_ignore"] = True',
        'mapping["avg_non_ignore"] = False',
        ("tests/image/test_semantic_recipe.py",),
    ),
    Fault(
        "mmseg: a crop has another shape than the configuration's",
        "common/mmseg/crop.py",
        "new = (_side(own[0], ratio), _side(own[1], ratio))",
        "new = (_side(own[0], ratio), _side(own[0], ratio))",
        ("tests/image/test_semantic_recipe.py",),
    ),
)
