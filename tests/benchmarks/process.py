"""One run of one command, as a whole process."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass

from tests.benchmarks.memory import watch


class CommandError(Exception):
    """A command that failed; the message is the last line that it said."""


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes:
        seconds: From before the process is started to after it has ended.
        peak: The memory of all its processes together, in bytes; 0 if it was not watched.
    """

    seconds: float
    peak: int = 0


def run(words: list[str], *, watched: bool = False) -> Run:
    """Run a command to its end.

    Args:
        words: The command.
        watched: Take its memory, at the cost of its time.

    Raises:
        CommandError: It can't be started, or its exit code is not 0.
    """
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                # cat would fill a disk, and the others say a line or two.
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise CommandError(str(error)) from error
        peak = 0
        try:
            if watched:
                peak = watch(process)
            process.wait()
        except BaseException:
            _kill(process)
            raise
        seconds = time.perf_counter() - start
        if process.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise CommandError(lines[-1] if lines else f"exit code {process.returncode}")
    return Run(seconds, peak)


def _environment() -> dict[str, str]:
    """Ours, without what would change gpool's defaults, or keep it from being compiled once."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GPOOL_") and name != "PYTHONDONTWRITEBYTECODE"
    }


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started."""
    if hasattr(os, "killpg") and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
