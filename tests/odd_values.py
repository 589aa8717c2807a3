"""Documents with one value that nobody expects."""

ODD = [None, True, 3, -1.5, "", "x", [], [None], {}, {"a": []}, float("nan"), [[1]], {"counts": 3}]


def variants(document):
    """The document with one value at a time replaced by each odd one."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from (document | {key: odd} for odd in [*ODD, *variants(value)])
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from ([*document[:index], odd, *document[index + 1 :]] for odd in [*ODD, *variants(value)])
