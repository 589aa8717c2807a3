"""Read annotation files of any format into the columns of `Objects`."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from common.contract import AnnotationFormat
from common.datasets.ark import parse_ark
from common.datasets.coco import read_coco
from common.datasets.index import Sample
from common.datasets.objects import Objects
from common.datasets.problems import refuse
from common.datasets.voc import class_indices, parse_voc
from common.errors import DatasetError

THREADS = 16
"""Threads that read small files. Parsing holds the interpreter lock; waiting for a network disk does not."""

FILES_AT_ONCE = 256
"""Files per work item of a thread, so that handing them out costs nothing."""

ParseFile = Callable[[bytes, int, Objects], None]


def read_annotations(
    samples: Sequence[Sample], annotation_format: AnnotationFormat, class_names: Sequence[str]
) -> Objects:
    """Read the annotations of all images. The images themselves are not touched.

    Raises:
        DatasetError: a file is missing or malformed; all mistakes of all files in one error, which shows the first ten.
    """
    objects = Objects(len(class_names))
    match annotation_format:
        case AnnotationFormat.ARK:
            _read_files(samples, parse_ark, objects)
        case AnnotationFormat.VOC:
            _read_files(samples, partial(parse_voc, indices=class_indices(class_names)), objects)
        case AnnotationFormat.COCO:
            read_coco(samples, objects)
        case AnnotationFormat.NONE:
            raise DatasetError("export_format none exports no annotations; allowed are ark:raw, voc:raw, seg-coco:raw")
    refuse([f"{samples[image].annotation}{text}" for image, text in objects.problems])
    return objects


def _read_files(samples: Sequence[Sample], parse: ParseFile, objects: Objects) -> None:
    """Read one file per image, in the order of the index."""

    def read_chunk(start: int) -> Objects:
        part = Objects(objects.class_count)
        for image, sample in enumerate(samples[start : start + FILES_AT_ONCE], start):
            try:
                parse(sample.annotation.read_bytes(), image, part)
            except OSError as error:
                part.problems.append((image, f": cannot be read ({error.strerror})"))
        return part

    with ThreadPoolExecutor(THREADS) as pool:
        for part in pool.map(read_chunk, range(0, len(samples), FILES_AT_ONCE)):
            objects.extend(part)
