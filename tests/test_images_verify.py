"""What a framework gets to read is what the platform sees."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from test_images_decode import FILES, HEIGHT, PLAIN, WIDTH, WITH_THUMBNAIL, bgr

from common.images.decode import read_image
from common.images.verify import verify


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("jpeg", "a.jpg", None),  # None: the original itself
        ("jpeg", "a.JPG", None),
        ("grayscale jpeg", "a.jpg", None),
        ("png", "图 片.png", None),
        ("grayscale png", "a.png", None),
        ("bmp", "a.BMP", None),
        ("jpeg", "a", "link.jpg"),  # no suffix: a link that has one
        ("jpeg", "a.png", "link.jpg"),  # the wrong suffix
        ("png", "a.jpg", "link.png"),
        ("bmp", "a.dat", "link.bmp"),
        ("exif-turned jpeg", "a.jpg", "copy"),  # a framework would turn it
        ("exif-mirrored png", "a.png", "copy"),
        ("rgba png", "a.png", "copy"),  # a framework would blend it or refuse it
        ("grayscale and alpha png", "a.png", "copy"),
        ("palette png", "a.png", "copy"),
        ("16 bit png", "a.png", "copy"),
        ("black and white png", "a.png", "copy"),
        ("cmyk jpeg", "a.jpg", "copy"),
        ("webp", "a.webp", "copy"),  # a format that not every framework reads
        ("gif", "a.gif", "copy"),
    ],
)
def test_the_original_a_link_or_a_lossless_copy(tmp_path: Path, kind: str, name: str, expected: str | None) -> None:
    content = FILES[kind][0]
    original, target = tmp_path / "in" / name, tmp_path / "scratch" / "000001"
    for folder in (original.parent, target.parent):
        folder.mkdir()
    original.write_bytes(content)
    checked = verify(original)
    file = checked.as_file(target)
    if expected is None:
        assert file == original
    elif expected == "copy":
        assert file == target.with_name("000001.png")
        assert not file.is_symlink()
    else:
        assert file == target.with_name("000001" + Path(expected).suffix)
        assert file.is_symlink()
        assert file.resolve() == original
    assert (checked.width, checked.height) == (WIDTH, HEIGHT)
    with Image.open(file) as image:  # as a framework reads it: orientation and suffix count
        seen = bgr(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(seen, read_image(original))
    assert original.read_bytes() == content
    assert [each.name for each in original.parent.iterdir()] == [name]


def test_a_name_with_dots_is_not_cut(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(FILES["jpeg"][0])
    assert verify(tmp_path / "a").as_file(tmp_path / "v1.2 x").name == "v1.2 x.jpg"


def test_a_link_can_be_made_again(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(FILES["jpeg"][0])
    checked = verify(tmp_path / "a")
    assert checked.as_file(tmp_path / "link") == checked.as_file(tmp_path / "link")


@pytest.mark.parametrize(
    "content",
    [
        FILES["jpeg"][0] + b"\0" * 10,  # ultralytics would rewrite it in place, below /in
        WITH_THUMBNAIL + b"more",
    ],
)
def test_a_jpeg_that_goes_on_after_its_end_is_copied(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert verify(tmp_path / "a.jpg").as_file(tmp_path / "copy") == tmp_path / "copy.png"


def test_an_image_that_pillow_takes_for_a_bomb_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(FILES["png"][0])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", WIDTH * HEIGHT // 3)
    copy = verify(tmp_path / "a.png").as_file(tmp_path / "copy")
    assert copy == tmp_path / "copy.png"
    np.testing.assert_array_equal(read_image(copy), bgr(PLAIN))
