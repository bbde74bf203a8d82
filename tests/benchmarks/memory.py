"""How much memory a process and all that it started take together (Linux)."""

from __future__ import annotations

import os
import subprocess
import time

_PAUSE = 0.003


def watch(process: subprocess.Popen[bytes]) -> int:
    """Wait for the leader of a session, looking at its memory all the time.

    Reading the memory of a large process costs it time, so a process that is watched is not timed.

    Returns:
        The peak in bytes; 0 where the system doesn't tell.
    """
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory_of_session(process.pid))
        time.sleep(_PAUSE)
    return peak


def _memory_of_session(session: int) -> int:
    """The memory of all processes of a session: those of a pool are forked, and stay in it.

    What forked processes have in common counts once. So do libraries and other mapped files: they
    count as in the process that has most of them, for the others have the same ones.
    """
    try:
        names = os.listdir("/proc")
    except OSError:
        return 0
    ours = [name for name in names if name.isdigit() and _session_of(name) == session]
    own = sum(
        _field(name, "smaps_rollup", "Pss_Anon:") + _field(name, "smaps_rollup", "Pss_Shmem:")
        for name in ours
    )
    # Not their proportional share: strangers use the same libraries, the benchmarks for one.
    return own + max((_field(name, "status", "RssFile:") for name in ours), default=0)


def _session_of(process: str) -> int:
    """The session of a process; -1 if it has gone."""
    try:
        with open(f"/proc/{process}/stat") as file:
            # The program's name may hold anything; behind it: state, parent, group, session.
            return int(file.read().rpartition(")")[2].split()[3])
    except (OSError, IndexError, ValueError):
        return -1


def _field(process: str, file_name: str, field: str) -> int:
    """One of the numbers that the kernel tells of a process, in bytes; 0 if it has gone."""
    try:
        with open(f"/proc/{process}/{file_name}") as file:
            for line in file:
                if line.startswith(field):
                    return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 0
