"""Randomness that depends on task and image only, never on the number of ranks or the order of the images."""

import hashlib

import numpy as np


def uniform(task_id: str, name: str) -> float:
    """Uniform number in [0, 1), the same for an image in every run of a task.

    Args:
        task_id: the platform's name of the task.
        name: base name of the image.
    """
    return (_digest(task_id, name) >> 75) * 2.0**-53


def rng(task_id: str, name: str) -> np.random.Generator:
    """Make the random generator for an image of a task.

    Args:
        task_id: the platform's name of the task.
        name: base name of the image.
    """
    return np.random.Generator(np.random.PCG64(_digest(task_id, name)))


def seed(task_id: str, name: str, number: int) -> int:
    """Seed of 63 bits for a numbered pass over an image, the same in every run of a task."""
    return _digest(task_id, f"{name}\0{number}") >> 65


def _digest(task_id: str, name: str) -> int:
    """Compute 128 bits of a hash that is the same on every machine and in every Python, unlike `hash`."""
    return int.from_bytes(hashlib.blake2b(f"{task_id}\0{name}".encode(), digest_size=16).digest())
