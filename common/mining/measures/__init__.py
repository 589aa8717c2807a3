"""Measures that mining algorithms share: of probabilities, pixels, regions, superpixels and windows."""
