"""Reads the text of a configuration as data. OpenMMLab writes it as a Python program, and would run it."""

import ast
from typing import Any

LIMIT = 4 << 20
"""Characters of a configuration; those of OpenMMLab's packages have a few ten thousand."""

NUMBERS = {"inf": float("inf"), "nan": float("nan")}
"""Names that stand for numbers in printed configurations."""


def read_literals(text: str) -> dict[str, Any]:
    """Read assignments of literals: numbers, text, lists, tuples, dictionaries, and `dict(key=value)`.

    That is how mmengine and mmcv print a configuration with all that it inherits.

    Raises:
        ValueError: the text is longer than `LIMIT`, is not Python, or holds anything that would have to run; the
            message gives the line.
    """
    if len(text) > LIMIT:
        raise ValueError(f"it has {len(text)} characters; at most {LIMIT} are read")
    try:
        tree = ast.parse(text)
        return dict(_assignment(statement) for statement in tree.body if not _is_comment(statement))
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("it is nested too deeply") from error


def _is_comment(statement: ast.stmt) -> bool:
    """Recognise text that stands by itself."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _assignment(statement: ast.stmt) -> tuple[str, Any]:
    match statement:
        case ast.Assign([ast.Name(name)], value):
            return name, _value(value)
    raise _refused(statement)


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(str() | int() | float() | bool() | None as value):
            return value
        case ast.Name(name) if name in NUMBERS:
            return NUMBERS[name]
        case ast.UnaryOp(ast.USub() | ast.UAdd() as sign, operand):
            number = _value(operand)
            if type(number) in (int, float):
                return -number if isinstance(sign, ast.USub) else number
        case ast.List(items):
            return [_value(item) for item in items]
        case ast.Tuple(items):
            return tuple(_value(item) for item in items)
        case ast.Dict(keys, values):
            return {_key(node, key): _value(value) for key, value in zip(keys, values, strict=True)}
        case ast.Call(ast.Name("dict"), [], keywords):
            return {_word(node, word): _value(word.value) for word in keywords}
        case ast.Call(ast.Name("float"), [ast.Constant("inf" | "-inf" | "nan" as text)], []):
            return float(text)
    raise _refused(node)


def _key(mapping: ast.expr, key: ast.expr | None) -> str | int:
    """Key of `{key: value}`. There is none in `{**other}`."""
    value = None if key is None else _value(key)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _refused(key or mapping)
    return value


def _word(call: ast.expr, keyword: ast.keyword) -> str:
    """Key of `dict(key=value)`. There is none in `dict(**other)`."""
    if keyword.arg is None:
        raise _refused(call)
    return keyword.arg


def _refused(node: ast.AST) -> ValueError:
    """Error that quotes the first line of what is not a literal."""
    code = ast.unparse(node).partition("\n")[0]
    quoted = code if len(code) <= 80 else f"{code[:77]}..."
    line = getattr(node, "lineno", 0)
    return ValueError(f"line {line}: {quoted!r} would have to run; a configuration may hold values only")
