"""Names of the models that ultralytics can build, found without importing it."""

import pytest

from common.yolo.names import check_detector, check_segmenter, detectors, is_anchored, segmenters

SEED_MODELS = ("yolov5n", "yolov5s", "yolov5m", "yolov5l", "yolov5x", "yolov5n6", "yolov5s6", "yolov5m6", "yolov5l6")


@pytest.mark.parametrize("name", SEED_MODELS)
def test_every_model_of_the_seed_is_known(name: str) -> None:
    assert check_detector(name) == name
    assert detectors()[name] == (f"{name[:-1]}-p6" if name.endswith("6") else name)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("yolov5x6", "yolov5x-p6"),
        ("yolov5n-p6", "yolov5n-p6"),  # ultralytics' own name
        ("yolov5nu", "yolov5n"),  # without anchors
        ("yolov5x6u", "yolov5x-p6"),
        ("yolo11n", "yolo11n"),
        ("yolov8x", "yolov8x"),
        ("yolov10n", "yolov10n"),  # has a file of its own
        ("yolov9c", "yolov9c"),
        ("yolov3-tiny", "yolov3-tiny"),  # without scales
        ("rtdetr-l", "rtdetr-l"),
    ],
)
def test_every_other_detector_is_known_too(name: str, stem: str) -> None:
    assert detectors()[check_detector(name)] == stem


@pytest.mark.parametrize(
    "name", ["yolov8n-seg", "yolo11n-cls", "yolov8n-pose", "yolov8n-obb", "yoloe-11s", "yolov8s-world"]
)
def test_models_of_other_tasks_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no"):
        check_detector(name)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("yolov5q", "yolov5"),
        ("yolo5n", "yolov5n"),
        ("YOLOv5s", "yolov5s"),  # case matters to ultralytics
        ("yolov5n.pt", "yolov5n"),
        ("resnet", ""),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(ValueError, match=r"nearest: .+, .+") as raised:
        check_detector(name)
    assert repr(name) in str(raised.value)
    assert near in str(raised.value).partition("nearest:")[2]


@pytest.mark.parametrize("name", [f"yolov5{size}-seg" for size in "nsmlx"])
def test_every_segmentation_model_of_the_seed_is_known(name: str) -> None:
    assert check_segmenter(name) == name


@pytest.mark.parametrize(
    "name", ["yolov8n-seg", "yolo11x-seg", "yolo12s-seg", "yolo26m-seg", "yolov9c-seg", "yolov8l-seg-p6"]
)
def test_every_other_segmentation_model_is_known_too(name: str) -> None:
    assert check_segmenter(name) == name


@pytest.mark.parametrize(
    "name", ["yolov5s", "yolov5n6-seg", "yoloe-11s-seg", "yolov8n-sem", "yolov8n-pose", "YOLOv5s-seg"]
)
def test_what_segments_no_objects_of_a_fixed_set_of_classes_is_refused_with_the_nearest(name: str) -> None:
    with pytest.raises(ValueError, match=r"no.* known model of instance segmentation; nearest: .+-seg, ") as raised:
        check_segmenter(name)
    assert repr(name) in str(raised.value)


def test_no_model_both_detects_and_segments() -> None:
    assert not detectors().keys() & set(segmenters())


@pytest.mark.parametrize(
    ("name", "anchored"),
    [
        *((name, True) for name in (*SEED_MODELS, "yolov5x6", "yolov5n-p6", "yolov5s-seg")),
        *((name, False) for name in ("yolov5nu", "yolov5n6u", "yolov8n", "yolo11n-seg", "yolov3-tiny", "rtdetr-l")),
    ],
)
def test_the_models_of_the_yolov5_repository_have_anchors(name: str, anchored: bool) -> None:
    assert is_anchored(name) == anchored
