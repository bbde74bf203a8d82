"""Results that the values allow and float64 does not hold."""

from __future__ import annotations

import numpy as np

from gpool_cli.errors import InputError
from gpool_cli.poolings.interface import Array


def refuse_overflow(name: str, values: Array, *made_of: Array) -> None:
    """Refuse a result that is infinite or NaN though all it was made of was finite.

    Args:
        name: What the result is called.
        values: The results.
        made_of: What each of them was made of.

    Raises:
        InputError: One of those is not finite.
    """
    if np.isfinite(values).all():
        return
    sound = np.all([np.isfinite(one) for one in made_of], axis=0)
    if (sound & np.isinf(values)).any():
        raise InputError(
            f"has a channel whose {name} is beyond float64", "scale the values, or pool their mean"
        )
