"""Results that nobody is told of until it is known whether they are kept."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

from gpool_cli.events import Pooled
from gpool_cli.formats.spool import Spool

# So many wait in memory; those that come after them in a temporary file.
_IN_MEMORY = 250

# So many go there at a time: what they have in common, their file and more, is written once.
_AT_A_TIME = 250

# And of those so many bytes before there is a file.
_SPOOLED_IN_MEMORY = 1 << 18

# What stands before each time: its length.
_LENGTH_BYTES = 8


class Untold:
    """What there is to tell of the results of one input, in their order."""

    def __init__(self) -> None:
        self._first: list[Pooled] = []
        self._last: list[Pooled] = []
        self._between = Spool(_SPOOLED_IN_MEMORY)
        self._times = 0

    def add(self, pooled: Pooled) -> None:
        """Keep one more.

        Raises:
            OutputError: There is no room for it.
        """
        if len(self._first) < _IN_MEMORY:
            self._first.append(pooled)
            return
        self._last.append(pooled)
        if len(self._last) == _AT_A_TIME:
            data = pickle.dumps(self._last, pickle.HIGHEST_PROTOCOL)
            self._between.write(len(data).to_bytes(_LENGTH_BYTES, "little"))
            self._between.write(data)
            self._times += 1
            self._last = []

    def __iter__(self) -> Iterator[Pooled]:
        yield from self._first
        self._between.rewind()
        for _ in range(self._times):
            length = int.from_bytes(self._between.read(_LENGTH_BYTES), "little")
            yield from pickle.loads(self._between.read(length))
        yield from self._last

    def close(self) -> None:
        """Forget them."""
        self._between.close()
