"""The memory that this process allocates and frees, again and again."""

from __future__ import annotations

# Twice what the arrays of one unit of work take, as long as nobody asked for huge ones.
_USUAL = 16 << 20


def keep_freed(nbytes: int = _USUAL) -> None:
    """Have freed memory used again, where glibc would give it back to the system.

    Every page that comes from the system is fetched and zeroed anew, which may take a quarter of
    the time. glibc keeps as much as twice the largest block that it ever got from the system (up to
    32 MB) and saw freed: this is that block. It comes zeroed, is not written to, and costs nothing.

    Args:
        nbytes: The size of that block.
    """
    bytes(nbytes)
