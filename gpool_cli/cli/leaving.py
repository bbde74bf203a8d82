"""The end of the process."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process with an exit code, as soon as nothing is left to be done.

    Python would first take apart all that was imported, which takes 5 to 15 ms, up to a tenth of a
    short run; the system needs none of that. What was to be called at the end is called.

    Args:
        code: The exit code.
    """
    if not _is_awaited():
        _end_listening()
        atexit._run_exitfuncs()
        if _is_said():
            os._exit(code)
    sys.exit(code)


def _end_listening() -> None:
    """Have no signal change any more what the run has come to."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _is_awaited() -> bool:
    """Whether somebody goes on behind us: a thread, a profiler, or a prompt."""
    watched = sys.gettrace() or sys.getprofile() or sys.flags.inspect
    ours = threading.current_thread()
    return bool(watched) or any(
        not thread.daemon for thread in threading.enumerate() if thread is not ours
    )


def _is_said() -> bool:
    """Whether all that was said has gone out; where it can't, Python has a word for it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True
