"""An image without a model: writes outputs that hold to the contract, from nothing but env.yaml and config.yaml."""

import json
import os
import time
from pathlib import Path

import yaml

ENV = yaml.safe_load(Path(os.environ["DEFAULT_ENV_FILE_PATH"]).read_text(encoding="utf-8"))
OUT = {key: Path(path) for key, path in ENV["output"].items()}
CLASS = yaml.safe_load(Path(ENV["input"]["config_file"]).read_text(encoding="utf-8"))["class_names"][0]
BOX = {"x": 10, "y": 10, "w": 40, "h": 30} | ({"rotate_angle": 0.5} if CLASS == "ship" else {})


def report(share):
    temporary = OUT["monitor_file"].with_suffix(".tmp")
    temporary.write_text(f"{ENV['task_id']}\t{time.time()}\t{share}\t2\t0\n", encoding="utf-8")
    temporary.replace(OUT["monitor_file"])


def train():
    folder = OUT["models_dir"] / "best"
    folder.mkdir()
    (folder / "best.pt").write_bytes(b"weights")
    stage = {"stage_name": "best", "files": ["best.pt"], "timestamp": 1, "mAP": 0.97, "mAP50_95": 0.8}
    document = {"best_stage_name": "best", "model_stages": {"best": stage}, "object_type": 2}
    OUT["training_result_file"].write_text(yaml.safe_dump(document), encoding="utf-8")
    curve = "epoch,mAP,mAP50_95,loss\n1,0.5,0.3,4.0\n2,0.97,0.8,2.0\n"
    (OUT["root_dir"] / "training-curve.csv").write_text(curve, encoding="utf-8")
    (OUT["tensorboard_dir"] / "events.out.tfevents.1").write_bytes(b"")


def answer():
    lines = Path(ENV["input"]["candidate_index_file"]).read_text(encoding="utf-8").splitlines()
    boxes = [{"box": BOX, "class_name": CLASS, "score": 0.75}]
    images = {Path(line).name: {"boxes": boxes if index % 2 else []} for index, line in enumerate(lines)}
    OUT["infer_result_file"].write_text(json.dumps({"detection": images}), encoding="utf-8")
    ranking = "".join(f"{line}\t{1 - index / len(lines)}\n" for index, line in enumerate(lines))
    OUT["mining_result_file"].write_text(ranking, encoding="utf-8")


report(0.1)
print("working", flush=True)
train() if ENV["run_training"] else answer()
report(1.0)
