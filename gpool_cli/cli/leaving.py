"""The end of the process."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

# How many tools `sys.monitoring` knows.
_MOST_TOOLS = 6


def leave(code: int) -> NoReturn:
    """End the process with an exit code, as soon as nothing is left to be done.

    Python would first take apart all that was imported, which takes 5 to 15 ms, up to a tenth of a
    short run; the system needs none of that. What was to be called at the end is called.

    Args:
        code: The exit code.
    """
    _end_listening()
    if not _is_awaited():
        atexit._run_exitfuncs()
        if _is_said():
            os._exit(code)
    sys.exit(code)


def _end_listening() -> None:
    """Have a signal change nothing any more in what the run has come to.

    But a second one ends us: who reads what we said may have stopped, and we wait for that.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _pass_over)


def _pass_over(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)


def _is_awaited() -> bool:
    """Whether somebody goes on behind us: a thread, a profiler, or a prompt."""
    ours = threading.current_thread()
    return (
        bool(sys.gettrace() or sys.getprofile() or sys.flags.inspect)
        or _is_monitored()
        or any(not thread.daemon for thread in threading.enumerate() if thread is not ours)
    )


def _is_monitored() -> bool:
    """Whether a tool has registered with Python 3.12 or newer."""
    monitoring = getattr(sys, "monitoring", None)
    return monitoring is not None and any(map(monitoring.get_tool, range(_MOST_TOOLS)))


def _is_said() -> bool:
    """Whether all that was said has gone out; where it can't, Python has a word for it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True
