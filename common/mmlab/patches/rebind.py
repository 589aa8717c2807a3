"""Changes the functions that one method of one object calls, and nothing else in the process."""

from collections.abc import Callable
from types import FunctionType, MethodType


def calls(method: object, name: str) -> bool:
    """Check whether the code of a method refers to a global name of its module."""
    return isinstance(method, MethodType) and name in method.__func__.__code__.co_names


def rebind(owner: object, method_name: str, **names: Callable[..., object]) -> None:
    """Give an object its own copy of a method, in which some global names mean something else.

    The class, its module and all other objects stay as they are.

    Args:
        owner: the object.
        method_name: of a method of its class.
        **names: global names in the code of the method, and their new meanings.
    """
    plain = getattr(owner, method_name).__func__
    copy = FunctionType(
        plain.__code__, {**plain.__globals__, **names}, plain.__name__, plain.__defaults__, plain.__closure__
    )
    copy.__kwdefaults__ = plain.__kwdefaults__
    setattr(owner, method_name, MethodType(copy, owner))
