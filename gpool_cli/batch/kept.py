"""Blocks that come only once, kept in a temporary file for who must see them again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from gpool_cli.formats.interface import Array
from gpool_cli.formats.spool import Spool
from gpool_cli.model import Block


class Kept(contextlib.AbstractContextManager["Kept"]):
    """Passes blocks on, and gives them once more as often as they are asked for.

    Args:
        blocks: The blocks, which can be read once.
    """

    def __init__(self, blocks: Iterator[tuple[Block, Array]]) -> None:
        self._blocks = blocks
        self._file = Spool()
        self._seen: list[tuple[Block, np.dtype, tuple[int, ...]]] = []

    def read(self) -> Iterator[tuple[Block, Array]]:
        """All blocks; the first time as they come, which must be to the end."""
        return self._again() if self._seen else self._first()

    def _first(self) -> Iterator[tuple[Block, Array]]:
        for block, values in self._blocks:
            self._seen.append((block, values.dtype, values.shape))
            self._file.write(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
            yield block, values

    def _again(self) -> Iterator[tuple[Block, Array]]:
        self._file.rewind()
        for block, dtype, shape in self._seen:
            raw = self._file.read(int(np.prod(shape, dtype=np.int64)) * dtype.itemsize)
            yield block, np.frombuffer(raw, dtype).reshape(shape)

    def __exit__(self, *_: object) -> None:
        self._file.close()
