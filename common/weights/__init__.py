"""Weights: the given ones, the packaged ones, and how the build of an image packages them."""
