"""Reads values in the text of `cfg_options` as OpenMMLab's command line does (`mmengine.config.DictAction`).

mmengine's own function is not used, because the parent process does not import mmengine.
"""

BRACKETS = {"(": ")", "[": "]"}


def read_literal(text: str) -> object:
    """Read a number, True, False, None, a word, or a list or tuple of these: `0.5`, `[1,(2,3)]`, `1,2`.

    Args:
        text: quotes and blanks around a value are ignored. Commas without brackets make a list.

    Raises:
        ValueError: a bracket is not closed, or not opened.
    """
    text = text.strip(" '\"")
    parts = _split(text)
    if len(parts) > 1 or text.endswith(","):
        return [read_literal(part) for part in parts]
    if text[:1] in BRACKETS and text.endswith(BRACKETS[text[0]]):
        inner = [read_literal(part) for part in _split(text[1:-1])]
        return tuple(inner) if text.startswith("(") else inner
    return _scalar(text)


def _split(text: str) -> list[str]:
    """Split at the commas outside all brackets; a last comma may end the text."""
    closing: list[str] = []
    parts = [""]
    for sign in text:
        if sign in BRACKETS:
            closing.append(BRACKETS[sign])
        elif sign in BRACKETS.values() and (not closing or closing.pop() != sign):
            raise ValueError(f"{text!r}: {sign!r} closes nothing")
        if sign == "," and not closing:
            parts.append("")
        else:
            parts[-1] += sign
    if closing:
        raise ValueError(f"{text!r}: {closing[-1]!r} is missing")
    return parts if parts[-1].strip() else parts[:-1]


def _scalar(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if text == "None":
        return None
    return {"true": True, "false": False}.get(text.lower(), text)
