"""Being asked to stop: at once while maps are read, never in the middle of an output.

An exception that a signal handler raises may come up anywhere: between a temporary file and the
line that remembers it, or inside a library that swallows it. So outputs hold it back, and the run
looks again between two steps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class Wish:
    """What the process was asked, if it was.

    Attributes:
        reason: Why it is to stop.
        held: How many blocks hold it back.
    """

    def __init__(self) -> None:
        self.reason: BaseException | None = None
        self.held = 0


wish = Wish()


def stop(reason: BaseException) -> None:
    """Stop as soon as that does no harm; for signal handlers.

    Args:
        reason: What is raised.
    """
    wish.reason = reason
    check()


def check() -> None:
    """Raise the reason to stop, if there is one and nothing holds it back."""
    if wish.reason is not None and not wish.held:
        raise wish.reason


def asked() -> BaseException | None:
    """The reason to stop, if there is one."""
    return wish.reason


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Don't stop within this block; the next `check` will."""
    wish.held += 1
    try:
        yield
    finally:
        wish.held -= 1
