"""The same rendered images under every name and in every form that a platform or a person comes up with."""

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from workbench.sample import Sample


def encoded(sample: Sample, kind: str, mode: str = "RGB", **options: object) -> bytes:
    """The image in another form, by Pillow's names for formats and modes."""
    buffer = io.BytesIO()
    Image.fromarray(sample.image[:, :, ::-1]).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def turned() -> Image.Exif:
    """EXIF data that tells a viewer to turn the image by 90 degrees."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def odd_forms(samples: Sequence[Sample]) -> list[Sample]:
    """The first samples, each in a form of its own; the objects stay where they are."""
    forms = [
        ("no extension", "JPEG", "RGB", {}),
        ("two  blanks in.a name.jpg", "JPEG", "RGB", {}),
        ("中文图片.png", "PNG", "RGB", {}),
        ("SHOUTING.JPG", "JPEG", "RGB", {}),
        ("gray.jpg", "JPEG", "L", {}),
        ("alpha.png", "PNG", "RGBA", {}),
        ("palette.png", "PNG", "P", {}),
        ("turned.jpg", "JPEG", "RGB", {"exif": turned()}),
        ("bitmap.bmp", "BMP", "RGB", {}),
        ("lies.png", "JPEG", "RGB", {}),
        ("cmyk.jpg", "JPEG", "CMYK", {}),
    ]
    return [
        replace(sample, name=name, content=encoded(sample, kind, mode, **options))
        for sample, (name, kind, mode, options) in zip(samples, forms, strict=False)
    ]


def nonsense() -> Sample:
    """Text under the name of an image."""
    return Sample(np.zeros((1, 1, 3), np.uint8), name="text.jpg", content=b"this is no image")


def broken(name: str = "broken.jpg") -> Sample:
    """A JPEG that ends in the middle."""
    from workbench.shapes import render

    whole = render(1, seed=99)[0]
    return replace(whole.without_objects(), name=name, content=encoded(whole, "JPEG")[:2000])
