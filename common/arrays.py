"""Names of array types, so that a signature says in one word what it takes. Docstrings give shapes and units."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""`(height, width, 3)` in BGR order, unless a docstring says otherwise."""

Batch = NDArray[np.uint8]
"""`(B, H, W, 3)` in BGR order: inputs of a model."""

Segments = NDArray[np.int32]
"""`(h, w)`, the number of the region that each pixel belongs to; no number from 0 to the last one is missing."""

Labels = NDArray[np.integer]
"""`(h, w)`, the class index of each pixel."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
