"""The picture of a result as a line of text: a level for every cell of its sketch."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from gpool_cli.report.colours import Scale, viridis
from gpool_cli.sketch import Sketch

_LAST = 254
_NAN = 255


def strip_of(sketch: Sketch) -> tuple[float | None, float | None, str]:
    """The picture of a result.

    Returns:
        The values of level 0 and of level 254, to 4 digits, None where no cell is finite; and a
        level for every cell in base64. 255 is NaN, and infinities have the nearest end.
    """
    scale = Scale.of(sketch.cells)
    shares = scale.shares(sketch.cells)
    levels = np.where(np.isnan(shares), _NAN, np.round(np.nan_to_num(shares) * _LAST))
    text = base64.b64encode(levels.astype(np.uint8).tobytes()).decode()
    return _short(scale.low), _short(scale.high), text


def level_colours() -> str:
    """The colours of the levels 0 to 255 in hexadecimal: red, green and blue of each."""
    shares: Any = np.append(np.arange(_NAN) / _LAST, np.nan)
    return viridis(shares).tobytes().hex()


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None
