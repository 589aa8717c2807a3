"""Masks of objects: compressed, as maps of classes, as outlines, and as prototypes."""
