"""How input files are opened, whatever is in them."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_MEMORY = 512 << 20


@dataclass(frozen=True)
class Access:
    """What a file may ask of us, and what it may not.

    Attributes:
        max_memory: The bytes that one block of it may take, and what is known of its channels.
        follow: HDF5 links to other files, and datasets whose values lie there, are followed.
        lock: A lock that another program holds is respected.
    """

    max_memory: int = DEFAULT_MEMORY
    follow: bool = False
    lock: bool = True


DEFAULT_ACCESS = Access()
