"""The windows of masks that were used last, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from gpool_cli.formats.interface import Array, Parts
from gpool_cli.model import ArrayInfo

# Of so many arrays it is known what they are, without looking into their files again.
_KNOWN = 16

Key = tuple[object, ...]
"""What a window is kept under: its array, as it is now, and its place there."""


class Slab(NamedTuple):
    """A box that is kept, in the axis order of memory."""

    start: tuple[int, ...]
    values: Array

    def holds(self, start: tuple[int, ...], shape: tuple[int, ...]) -> bool:
        """Whether all of a box is in it."""
        size = self.values.shape
        sides = zip(self.start, size, start, shape, strict=True)
        return all(a <= b and b + n <= a + length for a, length, b, n in sides)


class KeptWindows:
    """The windows and slabs used last, and what is known of the arrays they are of.

    Attributes:
        room: The bytes that windows may take together; the one used last may be larger.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._windows: OrderedDict[Key, Slab] = OrderedDict()
        self._infos: OrderedDict[Key, tuple[ArrayInfo, Parts]] = OrderedDict()
        self._nbytes = 0

    def window(self, key: Key) -> Slab | None:
        """A window that is still there; it is the one used last then."""
        if key in self._windows:
            self._windows.move_to_end(key)
        return self._windows.get(key)

    def keep(self, key: Key, window: Slab) -> None:
        """Keep a window, and forget those that it leaves no room for."""
        self.forget(key)
        self._windows[key] = window
        self._nbytes += window.values.nbytes
        while self._nbytes > self.room and len(self._windows) > 1:
            self.forget(next(iter(self._windows)))

    def forget(self, key: Key) -> None:
        """Let go of a window, if it is there."""
        if key in self._windows:
            self._nbytes -= self._windows.pop(key).values.nbytes

    def info(self, key: Key) -> tuple[ArrayInfo, Parts] | None:
        """What is known of an array, and how it is cut into windows."""
        return self._infos.get(key)

    def keep_info(self, key: Key, found: tuple[ArrayInfo, Parts]) -> None:
        """Remember that."""
        self._infos[key] = found
        while len(self._infos) > _KNOWN:
            self._infos.popitem(last=False)
