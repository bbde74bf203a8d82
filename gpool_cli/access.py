"""How input files are opened, whatever is in them."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_MEMORY = 512 << 20

# Those that ml_dtypes and files know of; numpy has none of them.
NARROW_FLOATS = (
    "bfloat16",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
)


@dataclass(frozen=True)
class Access:
    """What a file may ask of us, and what it may not.

    Attributes:
        max_memory: The bytes that one block of it may take, and what is known of its channels.
        follow: HDF5 links to other files, and datasets whose values lie there, are followed.
        lock: A lock that another program holds is respected.
        view: The narrow float that the values of npy and npz are; '' takes them as they say.
    """

    max_memory: int = DEFAULT_MEMORY
    follow: bool = False
    lock: bool = True
    view: str = ""


DEFAULT_ACCESS = Access()
