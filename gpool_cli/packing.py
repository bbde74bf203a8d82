"""What a file says of its stored values: which mean nothing, and how the others were packed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Packing:
    """Fill values, scale and offset of one array, as netCDF has them.

    Attributes:
        missing: The stored values that stand for none, each as its bytes in native order; bytes,
            because a NaN equals nothing, not even itself.
        scale: What a stored value is multiplied by to get the value that is meant.
        offset: What is added after that.
        dtype: The dtype of the values that are meant, by name; '' where stored ones are.
        unsigned: The stored integers are meant without a sign.
    """

    missing: tuple[bytes, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    dtype: str = ""
    unsigned: bool = False

    @property
    def is_packed(self) -> bool:
        """Whether the stored values are others than those that are meant."""
        return bool(self.dtype)
