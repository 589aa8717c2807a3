"""Weights: given by the platform, or packaged into the image when it was built."""
