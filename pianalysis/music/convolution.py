"""A convolution over time in NumPy, of which the small networks of this room are made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def convolved(rows: Floats, kernel: Floats, bias: Floats, apart: int) -> Floats:
    """A convolution over rows whose taps are so many rows apart, zeros beyond the ends; kernel: ``[out, in, taps]``."""
    taps = kernel.shape[2]
    reach = taps // 2 * apart
    padded = np.pad(rows, ((reach, reach), (0, 0)))
    total = sum(padded[tap * apart : tap * apart + len(rows)] @ kernel[:, :, tap].T for tap in range(taps))
    return np.asarray(total + bias, np.float32)
