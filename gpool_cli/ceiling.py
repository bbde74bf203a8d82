"""The memory that a worker may have, held by the system: damaged files ask a library for any."""

from __future__ import annotations

# Beside blocks: buffers, results on their way, and what HDF5 has of its own.
_SPARE = 384 << 20

# A chunk is there as it is stored, as it was inflated, and in its place in a block.
_TIMES_A_CHUNK = 3

_held = 0
_blocks = 0


def hold(blocks: int) -> None:
    """Have the system refuse more than this process has now, and so many bytes for blocks."""
    global _held, _blocks
    try:
        with open("/proc/self/status") as status:
            held = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData"))
    except (OSError, StopIteration, ValueError):
        return  # Linux counts what a process really has; others do not.
    _held, _blocks = held, blocks
    _set(blocks)


def make_room(chunk: int) -> None:
    """Let a chunk of so many bytes be read, which is known to be within what blocks may take."""
    if _held and _TIMES_A_CHUNK * chunk > _blocks:
        _set(_TIMES_A_CHUNK * chunk)


def _set(room: int) -> None:
    import resource

    most = _held + room + _SPARE
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or most <= hard:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
