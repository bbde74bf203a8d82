"""Results that the values allow and float64 does not hold."""

from __future__ import annotations

from gpool_cli.errors import InputError
from gpool_cli.poolings.interface import Array


def refuse_overflow(name: str, values: Array, sound: Array) -> None:
    """Refuse a result that is infinite or NaN though all it was made of was finite.

    Args:
        name: What the result is called.
        values: The results.
        sound: Which of them were made of finite values alone.

    Raises:
        InputError: One of those is not finite.
    """
    if (sound & (abs(values) == float("inf"))).any():
        raise InputError(
            f"has a channel whose {name} is beyond float64", "scale the values, or pool their mean"
        )
