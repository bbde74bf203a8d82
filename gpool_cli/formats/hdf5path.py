"""The way down a path of groups, which stay open: names come in order, and many share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class OpenGroups:
    """The groups above the name that was asked for last.

    Args:
        root: The low-level group that paths begin at.
        step: Opens the member of this name in a low-level group.
    """

    def __init__(self, root: Any, step: Callable[[Any, bytes], Any]) -> None:
        self._root = root
        self._step = step
        self._open: list[tuple[bytes, Any]] = []

    def descend(self, parts: Sequence[bytes]) -> Any:
        """What a path leads to; only what the last path did not pass is opened."""
        known = 0
        for part, (opened, _) in zip(parts, self._open, strict=False):
            if part != opened:
                break
            known += 1
        del self._open[known:]
        for part in parts[known:]:
            self._open.append((part, self._step(self._here(), part)))
        return self._here()

    def _here(self) -> Any:
        return self._open[-1][1] if self._open else self._root
