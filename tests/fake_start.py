"""An image without a model: writes outputs that hold to the contract, from nothing but env.yaml and config.yaml."""

import json
import os
import time
from pathlib import Path

import yaml

ENV = yaml.load(Path(os.environ["DEFAULT_ENV_FILE_PATH"]).read_text(encoding="utf-8"), yaml.CSafeLoader)
OUT = {key: Path(path) for key, path in ENV["output"].items()}
CONFIG = yaml.load(Path(ENV["input"]["config_file"]).read_text(encoding="utf-8"), yaml.CSafeLoader)
CLASS = CONFIG["class_names"][0]
DETECTION, SEMANTIC = 2, 3
METRICS = {
    DETECTION: {"mAP": 0.97, "mAP50_95": 0.8},
    SEMANTIC: {"mIoU": 0.97, "mAcc": 0.98, "aAcc": 0.99},
    4: {"maskAP": 0.97, "maskAP50_95": 0.8, "boxAP": 0.96},
}
BOX = {"x": 10, "y": 10, "w": 40, "h": 30} | ({"rotate_angle": 0.5} if CLASS == "ship" else {})


def report(share):
    temporary = OUT["monitor_file"].with_suffix(".tmp")
    temporary.write_text(f"{ENV['task_id']}\t{time.time()}\t{share}\t2\t0\n", encoding="utf-8")
    temporary.replace(OUT["monitor_file"])


def train():
    folder = OUT["models_dir"] / "best"
    folder.mkdir()
    (folder / "best.pt").write_bytes(b"weights")
    stage = {"stage_name": "best", "files": ["best.pt"], "timestamp": 1} | METRICS[CONFIG["object_type"]]
    document = {"best_stage_name": "best", "model_stages": {"best": stage}, "object_type": CONFIG["object_type"]}
    OUT["training_result_file"].write_text(yaml.safe_dump(document), encoding="utf-8")
    curve = "epoch,mAP,mAP50_95,loss\n1,0.5,0.3,4.0\n2,0.97,0.8,2.0\n"
    (OUT["root_dir"] / "training-curve.csv").write_text(curve, encoding="utf-8")
    columns = {DETECTION: "AP50,AP50_95,objects", SEMANTIC: "IoU,accuracy,pixels"}
    table = f"class,{columns.get(CONFIG['object_type'], 'maskAP50,maskAP50_95,objects')}\n"
    *seen, last = CONFIG["class_names"]
    rows = [f'"{name}",{0.97 - i / 16},{0.8 - i / 16},{1200 - i}\n' for i, name in enumerate(seen)]
    unseen = f'"{last}",,,0\n'
    (OUT["root_dir"] / "class-metrics.csv").write_text(table + "".join(rows) + unseen, encoding="utf-8")
    (OUT["tensorboard_dir"] / "events.out.tfevents.1").write_bytes(b"")


def answer():
    lines = Path(ENV["input"]["candidate_index_file"]).read_text(encoding="utf-8").splitlines()
    document = boxes(lines) if CONFIG["object_type"] == DETECTION else masks(lines)
    if ENV["run_infer"]:
        OUT["infer_result_file"].write_text(json.dumps(document), encoding="utf-8")
    if not ENV["run_mining"]:
        return
    ranking = "".join(f"{line}\t{1 - index / len(lines)}\n" for index, line in enumerate(lines))
    OUT["mining_result_file"].write_text(ranking, encoding="utf-8")


def boxes(lines):
    found = [{"box": BOX, "class_name": CLASS, "score": 0.75}]
    return {"detection": {Path(line).name: {"boxes": found if i % 2 else []} for i, line in enumerate(lines)}}


def masks(lines):
    """The same box, as a mask; and the upper left corner is to be labelled."""
    import cv2  # only here: most tests run this file on boxes, each time as a process
    import numpy as np

    images, annotations = [], []
    for number, line in enumerate(map(Path, lines)):
        images.append({"id": number, "file_name": line.name})
        image = cv2.imread(str(line))
        if image is None:
            continue
        if number % 2:
            annotations.append({"id": number, "image_id": number, "category_id": 0} | mask(image.shape[:2]))
        if CONFIG["object_type"] == SEMANTIC:
            regions = np.zeros(image.shape[:2], np.uint8)
            regions[:16, :16] = 255
            (OUT["root_dir"] / "masks").mkdir(exist_ok=True)
            cv2.imwrite(str(OUT["root_dir"] / "masks" / f"{line.name}.png"), regions)
    return {"images": images, "categories": [{"id": 0, "name": CLASS}], "annotations": annotations}


def mask(size):
    import numpy as np
    from pycocotools import mask as coco_mask

    x, y, w, h = (BOX[key] for key in "xywh")
    pixels = np.zeros(size, np.uint8, order="F")
    pixels[y : y + h, x : x + w] = 1
    rle = coco_mask.encode(pixels)
    segmentation = {"counts": rle["counts"].decode(), "size": list(size)}
    confidence = {} if CONFIG["object_type"] == SEMANTIC else {"confidence": 0.75}
    return {"bbox": [x, y, w, h], "area": w * h, "iscrowd": 0, "segmentation": segmentation} | confidence


def say(second, text):
    print(f"2026-01-01 10:{second // 60:02}:{second % 60:02},000 INFO {text}", flush=True)


report(0.1)
verbs = [verb for verb in ("infer", "mining", "training") if ENV[f"run_{verb}"]]
say(0, f"fake-tmi: {' and '.join(verbs)} on the CPU")
for key, value in ({"fp16": False, "args_options": ""} | CONFIG).items():
    if key not in {"task_id", "class_names", "gpu_id", "gpu_count", "object_type", "model_params_path"}:
        say(0, f"  {key}: {value}")
say(1, "working")
train() if ENV["run_training"] else answer()
report(1.0)
say(61 if ENV["run_training"] else 2, "done")
