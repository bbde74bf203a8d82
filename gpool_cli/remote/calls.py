"""Work that waits for the network: in the thread of fsspec's event loop, many at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from gpool_cli import pulse
from gpool_cli.errors import GpoolError, InputError
from gpool_cli.patience import is_done, result_of, wait_for_any
from gpool_cli.printable import printable
from gpool_cli.remote import INSTALL

try:
    import fsspec.asyn
except ImportError as error:
    raise InputError("needs fsspec, which is not installed", INSTALL) from error

_Value = TypeVar("_Value")

# A server may be silent for so long, in seconds; at least so many bytes a second come else.
PATIENCE = 20.0
_SLOWEST = 50e3

# Between one try and the next, in seconds.
WAITS = (0.25, 1.0, 4.0)

# How often there is a sign of life while we wait, in seconds.
_LOOK = 0.25

# What a process that is forked from this one must never take apart, by its index or as the loop.
_kept: dict[int, Any] = {}

_Kept = TypeVar("_Kept")


def kept(files: _Kept) -> _Kept:
    """A file system of fsspec, kept as long as the process lives, and in those forked from it.

    There it is of no use. But where its connections and the event loop are let go of, they are
    taken off the list of what the system watches, which both processes share: the one here
    would never hear of its connections again.
    """
    _kept[id(files)] = files
    return files


def _keep_loop() -> None:
    _kept[0] = fsspec.asyn.loop[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_keep_loop)


def start(work: Coroutine[Any, Any, _Value]) -> Future[_Value]:
    """Begin work in the thread of the event loop."""
    return asyncio.run_coroutine_threadsafe(work, fsspec.asyn.get_loop())


def wait(future: Future[_Value]) -> _Value:
    """Wait for work, which has an end of its own, and give signs of life."""
    while not is_done(future):
        wait_for_any([future], _LOOK)
        pulse.wait()
    return result_of(future)


def call(work: Coroutine[Any, Any, _Value]) -> _Value:
    """Do work, and wait for it."""
    return wait(start(work))


async def trying(
    attempt: Callable[[], Coroutine[Any, Any, _Value]], nbytes: int = 0, writes: bool = False
) -> _Value:
    """Try until it is done, a few times, each of them bounded in time.

    Args:
        attempt: One try.
        nbytes: How many bytes it moves.
        writes: They are written.

    Raises:
        InputError: The server gives nothing, or something else than was asked for.
    """
    for pause in (*WAITS, None):
        try:
            return await asyncio.wait_for(attempt(), PATIENCE + nbytes / _SLOWEST)
        except Exception as error:
            # Whatever a library raises on a bad network may have passed when we try again.
            if pause is None or _is_final(error):
                raise _said(error, writes) from error
            await asyncio.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _is_final(error: Exception) -> bool:
    """Whether the answer would be the same the next time."""
    final = (GpoolError, FileNotFoundError, PermissionError, MemoryError, ValueError, TypeError)
    return isinstance(error, final) or type(error).__name__ == "NoCredentialsError"


def _said(error: Exception, writes: bool) -> GpoolError:
    """What an error of the network means for a user."""
    if isinstance(error, GpoolError):
        return error
    if isinstance(error, FileNotFoundError):
        return InputError("is not there", "check the URL")
    if isinstance(error, PermissionError):
        verb = "written" if writes else "read"
        return InputError(f"may not be {verb} with these credentials", "check them, and the URL")
    if type(error).__name__ == "NoCredentialsError":
        return InputError(
            "asks for credentials, and none were found",
            "set AWS_PROFILE or the like; for what is public, FSSPEC_S3_ANON=true",
        )
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)) or "Timeout" in type(error).__name__:
        reason = "the server gives no answer"
    else:
        reason = printable(" ".join(f"{error}".split()) or type(error).__name__)
    verb = "written" if writes else "read"
    return InputError(f"can't be {verb}: {reason} ({len(WAITS) + 1} tries)", "try again later")
