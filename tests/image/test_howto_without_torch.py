"""The model and the mining algorithm of the how-to pages, by following them. They need no torch, but seconds."""

import importlib.util
import runpy
from pathlib import Path

import pytest
from fakes import StubPredictor, write_images, write_task
from following import followed, python

from common.images.decode import read_image
from common.mining.algorithm import Evidence, importance
from common.mmlab.options.catalogue import find_config
from common.weights.zoo import read_zoo
from tests.mining_cases import SETTINGS
from workbench.images import REPOSITORY

RENDER_AND_TEST = """
import sys, pytest
from workbench.render import write
write()
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""
"""Two things that each would load half of the project."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with what two of the pages add; it is rendered, and their tests pass."""
    root = followed(tmp_path_factory.mktemp("howto") / "copy", "model.md", "mining-algorithm.md")
    tests = ("tests/test_mmlab_zoo.py", "tests/test_mining_margin.py", "tests/test_mining_registry.py")
    python(root, "-c", RENDER_AND_TEST, *tests, "-k", "not finite")
    return root


def test_the_model_of_the_page_has_a_short_name_and_weights(root: Path) -> None:
    key = find_config("Yolov5_n_p6", "mmyolo", runpy.run_path(str(root / "det-mmyolo-tmi" / "zoo.py"))["MODELS"])
    address = read_zoo(root / "det-mmyolo-tmi").addresses[key]
    assert Path(key).stem in address.url
    assert address.url.endswith(f"-{address.sha256}.pth")
    assert "yolov5_n_p6" in (root / "det-mmyolo-tmi/img-man/training-template.yaml").read_text(encoding="utf-8")


def test_the_algorithm_of_the_page_ranks_the_candidates_of_a_task(root: Path, tmp_path: Path) -> None:
    assert "entropy or margin" in (root / "docs/en/parameters/det-mmyolo-tmi-mining.md").read_text(encoding="utf-8")
    assert "| [margin](margin.md) |" in (root / "docs/zh/mining/bibliography.md").read_text(encoding="utf-8")
    images = write_images(tmp_path / "images", 6)
    env_file = write_task(tmp_path / "task", "mining", images=images, config={"mining_algorithm": "Margin"})
    python(root, "tests/fake_image.py", DEFAULT_ENV_FILE_PATH=str(env_file))
    lines = (tmp_path / "task/out/result.tsv").read_text(encoding="utf-8").splitlines()
    scores = {Path(name): float(score) for name, score in (line.split("\t") for line in lines)}
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    assert scores == pytest.approx({image: _expected(image) for image in images}, rel=1e-4)


def _expected(image: Path) -> float:
    """The score, by the file of the page itself."""
    file = REPOSITORY / "docs/examples/mining/margin.py"
    spec = importlib.util.spec_from_file_location("margin", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    predictor = StubPredictor()
    prepared = predictor.prepare(read_image(image))
    [prediction] = predictor.predict(prepared.pixels[None], class_maps=False)
    return importance(module.MARGIN, Evidence(image.name, prediction, prepared.pixels.shape[:2]), SETTINGS)
