"""Configurations as text are read as data. What would have to run is refused with its line, and is not run."""

import math
from pathlib import Path

import pytest

from common.mmlab.fit.literal_config import read_literals


def test_assignments_of_literals_are_read() -> None:
    text = """
'''A comment.'''
# another
model = dict(
    type='YOLOX', depth=-0.33, use=True, none=None, scale=(640, 640), names=['a', "b"], one=(1,),
    data_preprocessor={'type': 'A.B', 3: [1e-3, +2]})
limits = (0, inf, -inf)
other = dict(ratio=float('inf'))
empty = {}
"""
    assert read_literals(text) == {
        "model": {
            "type": "YOLOX",
            "depth": -0.33,
            "use": True,
            "none": None,
            "scale": (640, 640),
            "names": ["a", "b"],
            "one": (1,),
            "data_preprocessor": {"type": "A.B", 3: [0.001, 2]},
        },
        "limits": (0, math.inf, -math.inf),
        "other": {"ratio": math.inf},
        "empty": {},
    }


@pytest.mark.parametrize(
    ("statement", "quoted"),
    [
        ("import os", "import os"),
        ("from pathlib import Path", "from pathlib import Path"),
        ("open({marker!r}, 'w')", "open("),
        ("a = open({marker!r}, 'w')", "open("),
        ("a = __import__('os').system('touch {marker}')", "__import__"),
        ("a = ().__class__.__bases__[0].__subclasses__()", "().__class__"),
        ("a = [x for x in (1,)]", "[x for x in (1,)]"),
        ("a = (lambda: 1)()", "(lambda: 1)()"),
        ("a = lambda: 1", "lambda: 1"),
        ("a = f'{1}'", "f'{1}'"),
        ("a = f'{open(1)}'", "open(1)"),
        ("a = dict([('b', 1)])", "dict([('b', 1)])"),
        ("a = dict(**dict(b=1))", "dict(**dict(b=1))"),
        ("a = {**dict(b=1)}", "{**dict(b=1)}"),
        ("a = dict(b=open({marker!r}, 'w'))", "open("),
        ("a = [1][0]", "[1][0]"),
        ("a = 1 if True else 2", "1 if True else 2"),
        ("a = 9 ** 9 ** 9", "9 ** 9 ** 9"),
        ("a = 'b' * 99999999999", "99999999999"),
        ("a = b = 1", "a = b = 1"),
        ("a, b = 1, 2", "a, b = (1, 2)"),
        ("a.b = 1", "a.b = 1"),
        ("a += 1", "a += 1"),
        ("a: int = 1", "a: int = 1"),
        ("del a", "del a"),
        ("if True: a = 1", "if True:"),
        ("def f(): pass", "def f():"),
        ("class A: pass", "class A:"),
        ("with open({marker!r}, 'w'): pass", "with open("),
        ("a = b", "'b' would"),
        ("a = {(1, 2): 3}", "(1, 2)"),
        ("a = b''", "b''"),
        ("a = ...", "..."),
        ("a = {1, 2}", "{1, 2}"),
        ("a = float('1' * 9)", "float("),
        ("a = -'b'", "-'b'"),
    ],
)
def test_what_would_have_to_run_is_refused_with_its_line_and_not_run(
    tmp_path: Path, statement: str, quoted: str
) -> None:
    marker = tmp_path / "marker"
    code = statement.replace("{marker!r}", repr(str(marker))).replace("{marker}", str(marker))
    with pytest.raises(
        ValueError, match=r"^line 2: .* would have to run; a configuration may hold values only$"
    ) as error:
        read_literals(f"model = dict(type='A')\n{code}\n")
    assert quoted in str(error.value)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("model = dict(\n", "line 1: "),
        ("\x00", "null bytes"),
        ("a = " + "[" * 300 + "]" * 300, "nested"),
        ("a = " + "-" * 90_000 + "1", "nested"),
        ("a" * (5 << 20), "characters"),
    ],
)
def test_other_text_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_literals(text)
