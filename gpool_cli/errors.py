"""What can go wrong, said for a user: what happened, what to do, and the exit code it means.

The exit codes of a run: 0 all done, 1 inputs failed, 2 wrong usage, 3 an output could not be
written, 130 interrupted, 143 terminated, 141 the reader of the pipe left.
"""

from __future__ import annotations


class GpoolError(Exception):
    """Something a user can understand and act on.

    Args:
        message: What went wrong and where, in one line, without a full stop.
        hint: What to do about it, in one line; empty where there is nothing to say.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(GpoolError):
    """The command or the call asks for something that makes no sense; nothing was written."""

    exit_code = 2


class InputError(GpoolError):
    """One input can't be answered; the others can."""

    exit_code = 1


class OutputError(GpoolError):
    """A result could not be written; the run ends."""

    exit_code = 3


class ReaderLeft(GpoolError):
    """The program that read our standard output closed it before everything was written."""

    exit_code = 141


class Stopped(BaseException):
    """The run was asked to stop; like a KeyboardInterrupt it is no fault of any input.

    Attributes:
        kept: What became of what was finished; empty where there is nothing to say.
        hint: What to do about it; empty where there is nothing to say.
    """

    exit_code = 1
    word = "stopped"
    kept = ""
    hint = ""


class Interrupted(Stopped):
    """By Ctrl-C."""

    exit_code = 130
    word = "interrupted"


class HungUp(Stopped):
    """By the end of its terminal."""

    exit_code = 129
    word = "hung up"


class Terminated(Stopped):
    """By SIGTERM."""

    exit_code = 143
    word = "terminated"
