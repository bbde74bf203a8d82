"""The dtypes of results, from the dtype of the input, where the user asks for none."""

from __future__ import annotations

from typing import Any

import numpy as np


def same_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """For poolings whose value is one of the stored ones."""
    return dtype


def average_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """float32 for float16, float32, bool and integers up to 16 bits; float64 for the rest."""
    return np.result_type(dtype, np.float32)


def sum_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """64-bit integers for integers, signed as they are, int64 for bool; floats as averages."""
    if dtype.kind == "f":
        return average_dtype(dtype)
    return np.dtype(np.uint64 if dtype.kind == "u" else np.int64)


def index_dtype(_: np.dtype[Any]) -> np.dtype[Any]:
    """For positions."""
    return np.dtype(np.int64)
