"""Randomness that depends on the task and the image only, never on the number of ranks or the order of the images."""

import hashlib

import numpy as np


def uniform(task_id: str, name: str) -> float:
    """A number in [0, 1), the same in every run of a task for an image.

    Args:
        task_id: the platform's name of the task.
        name: base name of the image.
    """
    return (_digest(task_id, name) >> 75) * 2.0**-53


def rng(task_id: str, name: str) -> np.random.Generator:
    """A generator of its own for an image of a task.

    Args:
        task_id: the platform's name of the task.
        name: base name of the image.
    """
    return np.random.Generator(np.random.PCG64(_digest(task_id, name)))


def seed(task_id: str, name: str, number: int) -> int:
    """63 bits, the same in every run of a task for an image and the number of a pass over it."""
    return _digest(task_id, f"{name}\0{number}") >> 65


def _digest(task_id: str, name: str) -> int:
    """128 bits of a hash that is the same on every machine and in every Python, unlike `hash`."""
    return int.from_bytes(hashlib.blake2b(f"{task_id}\0{name}".encode(), digest_size=16).digest())
