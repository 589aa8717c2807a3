"""Which weights are loaded, and how an image's build fetches them. Everything here talks to this machine only."""

import hashlib
import json
import logging
import os
import re
import socket
import threading
from collections.abc import Iterator
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from common.errors import ModelError, NetworkError
from common.weights import digests
from common.weights.bake import fetch, main, sha256
from common.weights.given import check_class_names, choose, report
from common.weights.zoo import Address, Zoo, read_zoo
from common.yolo.names import package_folder
from workbench.images import REPOSITORY, image_folders

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()
RELEASE = {
    "assets": [
        {"name": "weights.pt", "digest": f"sha256:{SHA256}"},
        {"name": "half.pt", "digest": f"sha256:{SHA256}"},
        {"name": "old.pt", "digest": None},
        {"name": "other.pt", "digest": "md5:0"},
    ]
}
"""As GitHub's API describes one; it has no digest for files from before June 2025."""


# choosing


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["best.pt", "epoch_10.pt"], "best.pt"),  # oldest first
        (["epoch_10.pt", "best.pt", "last.pt"], "best.pt"),  # `best` beats newer ones
        (["best_coco_bbox_mAP.pth", "epoch_12.pth"], "best_coco_bbox_mAP.pth"),  # as OpenMMLab calls it
        (["best.pt", "best_epoch_3.pt"], "best.pt"),
        (["epoch_1.pt", "epoch_2.pt"], "epoch_2.pt"),  # else the newest
        (["best.onnx", "best.yaml", "last.pth"], "last.pth"),  # only .pt and .pth are weights
    ],
)
def test_the_best_weights_are_chosen_else_the_newest(tmp_path: Path, names: list[str], chosen: str) -> None:
    paths = [tmp_path / name for name in names]
    for age, path in enumerate(reversed(paths)):
        path.write_bytes(b"")
        os.utime(path, ns=(0, 10**9 * (100 - age)))
    assert choose(paths).name == chosen
    assert choose(paths[::-1]).name == chosen


@pytest.mark.parametrize(
    ("names", "found"), [([], "nothing"), (["result.yaml", "best.onnx"], "result.yaml, best.onnx")]
)
def test_without_weights_the_message_names_what_was_found_and_what_is_needed(names: list[str], found: str) -> None:
    with pytest.raises(ModelError) as raised:
        choose([Path("/in/models") / name for name in names])
    assert all(word in str(raised.value) for word in [f"found {found}", ".pt or .pth"])


def test_a_zoo_finds_exactly_the_file_of_the_model(tmp_path: Path) -> None:
    zoo = Zoo(tmp_path, {"yolov5n": Address("https://x/yolov5nu.pt"), "yolov5s": Address("https://x/yolov5su.pt")})
    (tmp_path / "yolov5nu.pt").write_bytes(b"x")
    (tmp_path / "yolov5mu.pt").write_bytes(b"x")
    assert zoo.find("yolov5n") == tmp_path / "yolov5nu.pt"
    assert zoo.find("yolov5s") is None  # listed, not packaged
    assert zoo.find("yolov5m") is None  # there, not listed


# fetching


class Server(BaseHTTPRequestHandler):
    """`/weights.pt` is the file, `/half.pt` half of it, `/chunks.pt` breaks off within a chunk, the rest is 404.

    `/release` describes a release; `/strange` describes none.
    """

    def do_GET(self) -> None:
        answers = {
            "/weights.pt": ("Content-Length", str(len(CONTENT)), CONTENT),
            "/half.pt": ("Content-Length", str(len(CONTENT)), CONTENT[:5000]),
            "/old.pt": ("Content-Length", str(len(CONTENT)), CONTENT),
            "/release": ("Content-Length", str(len(json.dumps(RELEASE))), json.dumps(RELEASE).encode()),
            "/strange": ("Content-Length", "9", b'{"a": []}'),
            "/chunks.pt": ("Transfer-Encoding", "chunked", b"1000\r\n" + CONTENT[:100]),
        }
        if self.path not in answers:
            self.send_error(404)
            return
        header, value, body = answers[self.path]
        self.send_response(200)
        self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("recorded", [SHA256, SHA256[:8]])  # whole, or its beginning as in torch's file names
def test_a_file_with_the_right_hash_is_kept(tmp_path: Path, url: str, recorded: str) -> None:
    path = fetch(Address(f"{url}/weights.pt", recorded), tmp_path / "weights")
    assert path == tmp_path / "weights" / "weights.pt"
    assert path.read_bytes() == CONTENT
    assert sha256(path) == SHA256


def test_what_is_there_with_the_right_hash_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(CONTENT)
    address = Address("http://127.0.0.1:1/weights.pt", SHA256)  # nobody listens there
    assert fetch(address, tmp_path).read_bytes() == CONTENT


def test_what_is_there_with_another_hash_is_replaced(tmp_path: Path, url: str) -> None:
    (tmp_path / "weights.pt").write_bytes(b"an older release")
    assert fetch(Address(f"{url}/weights.pt", SHA256), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("file", "recorded", "words"),
    [
        ("weights.pt", "0" * 64, [SHA256, "expected " + "0" * 64]),  # another file than recorded
        ("weights.pt", "", [SHA256, "none recorded"]),  # nobody has recorded one: the message tells what to record
        ("half.pt", SHA256, ["sha256 is", f"expected {SHA256}"]),  # cut off
    ],
)
def test_a_file_with_another_hash_is_refused_and_nothing_is_left(
    tmp_path: Path, url: str, file: str, recorded: str, words: list[str]
) -> None:
    with pytest.raises(ModelError) as raised:
        fetch(Address(f"{url}/{file}", recorded), tmp_path)
    assert all(word in str(raised.value) for word in [f"{url}/{file}", *words])
    assert list(tmp_path.iterdir()) == []


def test_an_address_without_a_file_is_a_network_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(NetworkError, match=f"{url}/absent.pt: cannot be fetched .*404") as raised:
        fetch(Address(f"{url}/absent.pt", SHA256), tmp_path)
    assert list(tmp_path.iterdir()) == []
    raised.value.__context__.close()  # urllib's error is the open answer of the server


def test_an_answer_that_breaks_off_is_a_network_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(NetworkError, match=f"{url}/chunks.pt: cannot be fetched"):
        fetch(Address(f"{url}/chunks.pt", SHA256), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_connection_is_a_network_error(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = Address(f"http://127.0.0.1:{free.getsockname()[1]}/weights.pt", SHA256)
    with pytest.raises(NetworkError, match="refused"):
        fetch(address, tmp_path)


# the report


def test_the_log_says_how_much_of_the_file_was_used(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    report(Path("/w/best.pt"), ["a", "b", "c"], ["b", "c", "d"], ["b"])
    assert caplog.messages == [
        "weights: 1 of 3 tensors taken from best.pt",
        "  2 not in the file, or of another shape: a, c",
        "  1 in the file only: d",
    ]


# baking


def written_zoo(folder: Path, addresses: dict[str, str], sha256: str, release: str = "", packaged: str = "*") -> Path:
    """A folder of an image that has nothing but its table of weights."""
    folder.mkdir()
    entries = ", ".join(f"{name!r}: Address({url!r}, {sha256!r}, {release!r})" for name, url in addresses.items())
    text = f"""
from pathlib import Path
from common.weights.zoo import Address, Zoo
ZOO = Zoo(Path(__file__).parent / "weights", {{{entries}}}, ({packaged!r},))
"""
    (folder / "zoo.py").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _ask_again() -> None:
    digests.stated.cache_clear()


def test_a_build_fetches_the_models_that_fit_and_no_others(tmp_path: Path, url: str) -> None:
    addresses = {"a/one": f"{url}/weights.pt", "b/two": f"{url}/absent.pt"}
    folder = written_zoo(tmp_path / "image", addresses, SHA256)
    assert main([str(folder), "a/*"]) == 0
    assert sorted(path.name for path in (folder / "weights").iterdir()) == ["sources.json", "weights.pt"]
    assert read_zoo(folder).find("a/one") == folder / "weights" / "weights.pt"


def test_a_build_without_weights_leaves_an_empty_folder(tmp_path: Path) -> None:
    folder = written_zoo(tmp_path / "image", {"a": "http://127.0.0.1:1/a.pt"}, SHA256)
    assert main([str(folder)]) == 0
    assert list((folder / "weights").iterdir()) == []


@pytest.mark.parametrize(("pattern", "status"), [("absent", NetworkError.exit_status), ("no*", ModelError.exit_status)])
def test_a_build_fails_where_weights_cannot_be_had(tmp_path: Path, url: str, pattern: str, status: int) -> None:
    folder = written_zoo(tmp_path / "image", {"absent": f"{url}/absent.pt"}, SHA256)
    assert main([str(folder), pattern]) == status


def sources(folder: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((folder / "weights" / "sources.json").read_text(encoding="utf-8"))
    return found


def test_without_a_word_a_build_fetches_what_the_table_says(tmp_path: Path, url: str) -> None:
    addresses = {"a/one": f"{url}/weights.pt", "b/two": f"{url}/absent.pt"}
    folder = written_zoo(tmp_path / "image", addresses, SHA256, packaged="a/*")
    assert main([str(folder), "default"]) == 0
    assert sources(folder) == {
        "weights.pt": {"url": f"{url}/weights.pt", "sha256": SHA256, "stated by": "the table of the image"}
    }


def test_a_file_without_a_recorded_sum_is_compared_with_that_of_its_release(tmp_path: Path, url: str) -> None:
    folder = written_zoo(tmp_path / "image", {"a": f"{url}/weights.pt"}, "", f"{url}/release")
    assert main([str(folder), "a"]) == 0
    assert (folder / "weights" / "weights.pt").read_bytes() == CONTENT
    assert sources(folder)["weights.pt"] == {
        "url": f"{url}/weights.pt",
        "sha256": SHA256,
        "stated by": f"{url}/release",
    }


@pytest.mark.parametrize(
    ("file", "release", "status", "words"),
    [
        ("half.pt", "/release", ModelError.exit_status, "expected"),  # another file than the release states
        ("old.pt", "/release", ModelError.exit_status, "/release states none"),
        ("other.pt", "/release", ModelError.exit_status, "/release states none"),
        ("unlisted.pt", "/release", ModelError.exit_status, "/release states none"),
        ("weights.pt", "/absent", NetworkError.exit_status, "404"),
        ("weights.pt", "/strange", NetworkError.exit_status, "no description of a release"),
        ("weights.pt", "", ModelError.exit_status, "no release states one"),
    ],
)
def test_a_file_whose_sum_nobody_states_is_refused(
    tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture, file: str, release: str, status: int, words: str
) -> None:
    folder = written_zoo(tmp_path / "image", {"a": f"{url}/{file}"}, "", f"{url}{release}" if release else "")
    assert main([str(folder), "*"]) == status
    assert list((folder / "weights").iterdir()) == []
    assert words in caplog.text


def test_the_lines_for_the_table_are_printed(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    addresses = {"a": f"{url}/weights.pt", "b": f"{url}/old.pt"}
    folder = written_zoo(tmp_path / "image", addresses, "", f"{url}/release")
    assert digests.main([str(folder)]) == 0
    assert capsys.readouterr().out == f'    "weights.pt": "{SHA256}",\n'


def test_a_release_that_cannot_be_asked_is_named(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written_zoo(tmp_path / "image", {"a": f"{url}/weights.pt"}, "", f"{url}/absent")
    assert digests.main([str(folder)]) == NetworkError.exit_status
    assert f"{url}/absent: cannot be fetched" in capsys.readouterr().err


# the table of the YOLO models


def test_the_models_with_anchors_have_the_sums_of_their_files() -> None:
    zoo = read_zoo(REPOSITORY / "det-yolov5-tmi")
    for size in ("n", "s", "m", "l", "x"):
        for large in ("", "6"):
            model = f"yolov5{size}{large}"
            address = zoo.addresses[model]
            assert address.url == f"https://github.com/ultralytics/yolov5/releases/download/v7.0/{model}.pt"
            assert len(address.sha256) == 64
    assert len({address.sha256 for address in zoo.addresses.values() if address.sha256}) == 10
    assert zoo.packaged == ("yolov5n", "yolov5s")


def test_the_models_without_anchors_have_names_of_their_own() -> None:
    addresses = read_zoo(REPOSITORY / "det-yolov5-tmi").addresses
    release = "https://api.github.com/repos/ultralytics/assets/releases/tags/v8.4.0"
    for model in ("yolov5nu", "yolov5x6u", "yolov8n", "yolo11s", "yolo26m"):
        assert addresses[model] == Address(
            f"https://github.com/ultralytics/assets/releases/download/v8.4.0/{model}.pt", "", release
        )


@pytest.mark.parametrize("name", ["det-yolov5-tmi", "seg-all-in-one-tmi"])
def test_every_file_of_ultralytics_is_one_that_it_publishes(name: str) -> None:
    source = (package_folder() / "utils" / "downloads.py").read_text(encoding="utf-8")
    (names,) = re.findall(r"GITHUB_ASSETS_NAMES = frozenset\((.*?)\n\)\n", source, re.DOTALL)
    published = set(eval(f"({names})"))
    zoo = read_zoo(REPOSITORY / name)
    files = {address.file_name for address in zoo.addresses.values() if "/ultralytics/assets/" in address.url}
    assert files <= published
    assert {"yolov5su.pt", "yolov8n.pt", "yolo26n.pt"} <= files


def test_every_default_pattern_fits_a_model_with_a_recorded_sum() -> None:
    for folder in image_folders():
        zoo = read_zoo(folder)
        for pattern in zoo.packaged:
            fitting = [address for name, address in zoo.addresses.items() if fnmatchcase(name, pattern)]
            assert fitting
            assert all(address.sha256 for address in fitting)


def test_weights_for_another_number_of_classes_are_refused() -> None:
    with pytest.raises(ModelError, match=r"^best\.pt: trained for 3 classes, but class_names has 2$"):
        check_class_names(Path("best.pt"), ("a", "b", "c"), ("a", "b"))


def test_other_names_of_as_many_classes_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    check_class_names(Path("best.pt"), ("a", "b"), ())  # the task names none
    check_class_names(Path("best.pt"), ["a", "b"], ("a", "b"))
    assert caplog.messages == []
    check_class_names(Path("best.pt"), ("a", "b"), ("b", "a"))
    assert caplog.messages == ["class_names ('b', 'a') differ from the model's ('a', 'b'); the former are reported"]
