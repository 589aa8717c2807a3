"""A rotated box that was read and is predicted perfectly is written with the same numbers."""

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.boxes import rotated as geometry
from common.boxes.convention import Convention
from common.contract import AngleUnit, AnnotationFormat
from common.datasets.dataset import read_dataset
from common.datasets.index import read_training_index
from common.images.letterbox import letterbox
from common.results.detection import annotations, write_infer_result
from common.results.records import Box
from tests.geometry import rotated

QUARTER = math.pi / 2


def perfect(boxes: np.ndarray) -> np.ndarray:
    """What mmrotate's le90 heads would give for rectangles, in their precision: the longer side first."""
    written = Convention(start=-QUARTER, long_side=False).apply(boxes)
    tall = written[:, 2] <= written[:, 3]
    written[tall] = written[tall][:, [0, 1, 3, 2, 4]] + [0, 0, 0, 0, QUARTER]
    return written.astype(np.float32)


def read(folder: Path, lines: list[str], kind: AnnotationFormat) -> np.ndarray:
    """Rotated boxes of an annotation file, as `datasets` reads it; angles in the unit of the file."""
    folder.mkdir()
    suffix = "xml" if kind is AnnotationFormat.VOC else "txt"
    (folder / f"a.{suffix}").write_text("\n".join(lines), encoding="utf-8")
    (folder / "a.jpg").touch()
    (folder / "index.tsv").write_text(f"{folder}/a.jpg\t{folder}/a.{suffix}\n", encoding="utf-8")
    dataset = read_dataset(read_training_index(folder / "index.tsv"), kind, ["ship"])
    return geometry.from_upright(dataset.boxes, dataset.angles)


@given(st.integers(3, 301), st.integers(3, 301), st.floats(-QUARTER, 2 * QUARTER), st.sampled_from(AngleUnit))
@example(60, 21, 0, AngleUnit.RADIAN)
@example(20, 61, 1e-5, AngleUnit.PI)
@example(40, 40, -1e-5, AngleUnit.RADIAN)
@example(301, 3, QUARTER / 2, AngleUnit.PI)
@example(40, 40, QUARTER / 2 + 1e-5, AngleUnit.RADIAN)
@example(20, 61, -QUARTER / 2, AngleUnit.RADIAN)
@example(40, 40, -QUARTER / 2 - 1e-5, AngleUnit.PI)
@example(60, 21, QUARTER, AngleUnit.PI)
@example(20, 61, QUARTER + 1e-5, AngleUnit.RADIAN)
@example(301, 3, -QUARTER, AngleUnit.RADIAN)
@example(20, 61, -QUARTER - 1e-5, AngleUnit.PI)
@example(60, 21, 2 * QUARTER + 0.01, AngleUnit.RADIAN)
def test_ark_comes_back_as_the_same_numbers(w: int, h: int, angle: float, unit: AngleUnit) -> None:
    value = float(np.float32(angle / unit.radians))
    line = f"0, 300, 200, {300 + w - 1}, {200 + h - 1}, -1.0, {value}"
    with TemporaryDirectory() as folder:
        [box] = boxes = read(Path(folder) / "in", [line], AnnotationFormat.ARK)
    boxes[:, 4] *= unit.radians
    placement = letterbox(np.zeros((480, 640, 3), np.uint8), 512, 32).placement
    scale, offset = (placement.scale_x, placement.scale_y), (placement.offset_x, placement.offset_y)
    model = geometry.move(boxes, np.column_stack([np.diag(scale), offset]))
    found = placement.to_image(rotated(perfect(model), Convention.of(boxes, unit)))
    [written] = annotations(found, ["ship"])
    assert written.box == Box(300, 200, w, h, pytest.approx(value, abs=2e-5))
    assert box[4] == pytest.approx(angle, abs=1e-6)


def test_a_mixed_data_set_of_long_sides_comes_back_too(tmp_path: Path) -> None:
    angles = [-1.57, -0.8, 0, 0.4, 1.56]
    lines = [f"0, {10 * i}, 20, {10 * i + 59}, {20 + i}, -1.0, {angle}" for i, angle in enumerate(angles)]
    boxes = read(tmp_path / "in", lines, AnnotationFormat.ARK)
    found = annotations(rotated(perfect(boxes), Convention.of(boxes, AngleUnit.RADIAN)), ["ship"])
    assert [item.box for item in found] == [
        Box(10 * i, 20, 60, i + 1, pytest.approx(angle, abs=1e-5)) for i, angle in enumerate(angles)
    ]


def test_voc_has_the_same_angle(tmp_path: Path) -> None:
    box = "<xmin>30</xmin><ymin>20</ymin><xmax>69</xmax><ymax>29</ymax><rotate_angle>-0.7300</rotate_angle>"
    text = f"<annotation><object><name>ship</name><bndbox>{box}</bndbox></object></annotation>"
    [found] = read(tmp_path / "in", [text], AnnotationFormat.VOC)
    assert found.tolist() == pytest.approx([50, 25, 40, 10, -0.73])


@pytest.mark.parametrize("columns", ["0, 30, 20, 69, 29", "0, 30, 20, 69, 29, -1.0"])
def test_boxes_of_five_or_six_columns_are_not_rotated(tmp_path: Path, columns: str) -> None:
    [found] = read(tmp_path / "in", [columns], AnnotationFormat.ARK)
    assert found.tolist() == [50, 25, 40, 10, 0]


def test_the_angle_is_always_written_and_never_a_negative_zero(tmp_path: Path) -> None:
    found = annotations(rotated([[50, 25, 40, 10, -1e-9], [50, 25, 0.2, 0.1, 0.5]]), ["ship"])
    write_infer_result(tmp_path / "r.json", [("a.jpg", found)])
    text = (tmp_path / "r.json").read_text(encoding="utf-8")
    boxes = [item["box"] for item in json.loads(text)["detection"]["a.jpg"]["boxes"]]
    assert boxes[0] == {"x": 30, "y": 20, "w": 40, "h": 10, "rotate_angle": 0.0}
    assert "-0.0" not in text
    assert (boxes[1]["w"], boxes[1]["h"]) == (1, 1)
    assert boxes[1]["rotate_angle"] == pytest.approx(0.5)


def test_a_box_that_reaches_beyond_the_image_stays_whole() -> None:
    placement = letterbox(np.zeros((100, 100, 3), np.uint8), 100, 4).placement
    [item] = annotations(placement.to_image(rotated([[5, 50, 40, 10, 0.6]])), ["ship"])
    assert item.box == Box(-15, 45, 40, 10, pytest.approx(0.6))
