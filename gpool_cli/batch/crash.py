"""What to say when a worker died of a file."""

from __future__ import annotations

import signal

from gpool_cli.batch.executors import WorkerDied
from gpool_cli.errors import InputError
from gpool_cli.formats.opening import library_of
from gpool_cli.model import Failed, InputFile
from gpool_cli.remote import is_url

# Signals that a process gets for what it did itself.
_OWN_FAULTS = {
    getattr(signal, name, None) for name in ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL")
} - {None}


class Crashed(InputError):
    """A worker died of an input."""


def crash_of(file: InputFile, died: WorkerDied) -> Crashed:
    """The death of a worker, as an error about the file that it was working on."""
    # What is behind a URL is read by more than its library, and waits for more.
    library = "" if is_url(file.path) else library_of(file.path)
    reader = f"the {library} library" if library else "the worker that read it"
    if died.stalled:
        return Crashed(
            f"stopped {reader}, which made no more progress",
            "the file is damaged, or its disk is very slow: give it longer with --timeout",
        )
    if died.times > 1:
        return Crashed(
            f"was not read to its end: {died.times} workers of the cluster died that had it",
            "if memory ran out, give them more; then run it again",
        )
    known = died.signal in set(signal.Signals)
    name = signal.Signals(died.signal).name if known else "for an unknown reason"
    if died.signal in _OWN_FAULTS:
        return Crashed(
            f"crashed {reader} ({name})",
            "the file is damaged, or the library has a bug; the others are done",
        )
    return Crashed(
        f"was not read to its end: its worker was killed ({name})",
        "if memory ran out, use fewer --jobs; then run it again",
    )


def crash_failure(file: InputFile, died: WorkerDied) -> Failed:
    """The same, as what is said of the file."""
    error = crash_of(file, died)
    return Failed(file, "", error.message, error.hint)
