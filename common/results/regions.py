"""Regions to label in the first images of the ranking: one mask per image, beside result.tsv.

The platform does not read them; annotators and their tools do. The predecessors wrote them to the same place, as JPEG.
"""

import logging
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from common.files import write_bytes
from common.images.decode import read_image
from common.images.stream import work_ahead
from common.mining.algorithm import Judge
from common.progress import Progress

log = logging.getLogger(__name__)

TO_LABEL = 255
"""Value of a pixel to label; the others are 0."""


def write_regions(folder: Path, summaries: Mapping[str, bytes], judge: Judge, progress: Progress) -> None:
    """Write `<folder>/<base name>.png` for each image: one channel of 8 bits, as large as the image is stored.

    Args:
        folder: created if missing.
        summaries: summaries of the regions by path, in the order of the ranking. Of two images with the same base name
            the first counts.
        judge: chooses the regions to label.
        progress: receives the finished share.
    """
    by_name: dict[str, str] = {}
    for path in summaries:
        by_name.setdefault(os.path.basename(path), path)
    log.info("writing the regions to label in %d images to %s", len(by_name), folder)
    folder.mkdir(parents=True, exist_ok=True)
    write = partial(_write, folder, summaries, judge)
    for done, _ in enumerate(work_ahead(by_name.items(), write), 1):
        progress(done / len(by_name))


def _write(folder: Path, summaries: Mapping[str, bytes], judge: Judge, image: tuple[str, str]) -> None:
    name, path = image
    chosen = judge.to_label(summaries[path], read_image(Path(path)))
    content = cv2.imencode(".png", chosen.astype(np.uint8) * TO_LABEL, [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes()
    write_bytes(folder / f"{name}.png", content, durable=False)
