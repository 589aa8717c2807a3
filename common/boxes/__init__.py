"""Geometry of boxes: upright ones as corners `x1, y1, x2, y2`, rotated ones as `cx, cy, w, h, angle`."""
