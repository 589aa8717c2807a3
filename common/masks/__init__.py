"""Masks: which pixels of an image an object covers; compressed, as maps of classes, and as outlines."""
