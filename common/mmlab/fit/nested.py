"""Walks through a configuration, however deep."""

from collections.abc import Iterator

from mmengine.config import ConfigDict


def mappings(node: object) -> Iterator[ConfigDict]:
    """Yield all dictionaries of a part of a configuration, outer ones first. A missing part (None) has none."""
    if isinstance(node, dict):
        yield node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ():
        yield from mappings(item)
