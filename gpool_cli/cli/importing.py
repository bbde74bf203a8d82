"""While modules are imported, nobody looks for garbage."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Keep what is imported out of every search for garbage: it stays, and there is much of it.

    Python would look through it some fifty times, which takes a twentieth of a short run.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
